// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** CPython as WebAssembly, and what it does with a module. */

/**
 * `checked` caches (PEP 552) hold no time, so they are the same wherever they are made, and stay right when somebody
 * changes the source in an image. MemoryError is CPython's word for nesting that is too deep; a machine that really has
 * no memory left must not change what is in an image.
 *
 * How CPython writes a string down depends on who else holds it: a name that any module in the same process uses too is
 * written otherwise. Version 2 of the format knows nothing of that and writes values only; what is read back from it is
 * held by nobody else, so its form in the present version depends on the code alone. It is written no larger, either.
 */
const PROGRAM = `
import importlib.util, marshal, warnings
from pyodide.ffi import to_js

warnings.simplefilter("ignore")
FLAGS = (0b11).to_bytes(4, "little")

def compile_module(path, source):
    source = source.to_bytes()
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except MemoryError:
        bytearray(1 << 26)
        return None
    except (SyntaxError, ValueError, RecursionError, OverflowError):
        return None
    head = importlib.util.MAGIC_NUMBER + FLAGS + importlib.util.source_hash(source)
    return to_js(head + marshal.dumps(marshal.loads(marshal.dumps(code, 2))))

compile_module
`;

/**
 * `compileModule` gives nothing for what is no valid Python, or too deep.
 *
 * @typedef {{
 *   python: import("pyodide").PyodideInterface,
 *   compileModule: (path: string, source: Uint8Array) => Uint8Array | undefined,
 * }} Compiler
 */

/** @returns {Promise<Compiler>} */
export async function loadCompiler() {
  const { loadPyodide } = await import("pyodide");
  const python = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
  return { python, compileModule: python.runPython(PROGRAM) };
}
