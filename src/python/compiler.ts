// SPDX-License-Identifier: Apache-2.0

/**
 * What compiled modules depend on besides their source and their path: CPython as WebAssembly, by its exact version, and
 * the form in which we have it write. Whoever keeps compiled modules by what they were made from has to remember this too.
 */
export const PYTHON_COMPILER = "pyodide 0.29.5, form 2";

/** The series that the compiler is of. Compiled modules are the same in all releases of one. */
export const PYTHON_SERIES = "3.13";

/** Where Python looks for the compiled form of a module (PEP 3147): `a/b.py` becomes `a/__pycache__/b.cpython-313.pyc`. */
export function compiledPath(path: string): string {
  const [, folder = "", name = ""] = /^(.*\/)?([^/]+)\.py$/.exec(path) ?? [];
  if (name === "") throw new RangeError(`"${path}" is no module`);
  return `${folder}__pycache__/${name}.cpython-${PYTHON_SERIES.replace(".", "")}.pyc`;
}
