// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from "vitest";
import { CompilerProcess } from "./compiler-process.ts";
import { loadCompiler } from "./load-compiler.mjs";

/** Milliseconds. All modules take four seconds on a quiet machine. */
const TIMEOUT = 300_000;

interface Module {
  readonly path: string;
  readonly source: Uint8Array;
}

describe("what a module is compiled to depends on the module alone:", () => {
  let modules: readonly Module[];
  /** By path, from one process, in the order of paths. */
  let expected: ReadonlyMap<string, string>;
  beforeAll(async () => {
    modules = await readStandardLibrary();
    expected = await compileInProcess(modules);
  }, TIMEOUT);

  test("there are hundreds to look at", () => {
    expect(expected.size).toBeGreaterThan(500);
  });

  test(
    "the other order, in three processes, gives the same",
    async () => {
      const others = modules.toReversed();
      const parts = [0, 1, 2].map((part) => others.filter((_, index) => index % 3 === part));
      const found = new Map<string, string>();
      for (const part of parts)
        for (const [path, bytes] of await compileInProcess(part)) found.set(path, bytes);
      expect(differing(expected, found)).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    "a CPython that holds the code of hundreds of others gives the same",
    async () => {
      const { python, compileModule } = await loadCompiler();
      const hold = python.runPython(HOLD) as (path: string, source: Uint8Array) => void;
      for (const { path, source } of modules) hold(path, source);
      const found = new Map<string, string>();
      for (const { path, source } of modules) found.set(path, textOf(compileModule(path, source)));
      expect(differing(expected, found)).toEqual([]);
    },
    TIMEOUT,
  );
});

/** Keeps the code of modules alive, and with it every name that they use. */
const HOLD = `
held = []
def hold(path, source):
    try: held.append(compile(source.to_bytes(), "/elsewhere" + path, "exec"))
    except SyntaxError: pass
hold
`;

/** The path and the source of each module of the standard library that the compiler brings for itself. */
const LIST_MODULES = `
import sys, zipfile
from pyodide.ffi import to_js
library = zipfile.ZipFile(next(path for path in sys.path if path.endswith(".zip")))
to_js([("/" + name, library.read(name)) for name in library.namelist() if name.endswith(".py")])
`;

async function readStandardLibrary(): Promise<readonly Module[]> {
  const { python } = await loadCompiler();
  const listed = python.runPython(LIST_MODULES) as readonly (readonly [string, Uint8Array])[];
  return listed.map(([path, source]) => ({ path, source }));
}

async function compileInProcess(modules: readonly Module[]): Promise<ReadonlyMap<string, string>> {
  const process = new CompilerProcess();
  try {
    const found = new Map<string, string>();
    for (const module of modules) found.set(module.path, textOf(await process.compile(module)));
    return found;
  } finally {
    process.close();
  }
}

function textOf(compiled: Uint8Array | undefined): string {
  return compiled === undefined ? "" : Buffer.from(compiled).toString("latin1");
}

function differing(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): readonly string[] {
  return [...expected.keys()].filter((path) => found.get(path) !== expected.get(path));
}
