// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import type { ProgressEvent } from "../core/operation.ts";
import { compileModules, compiledPath, type ModuleSource, PYTHON_COMPILER } from "./index.ts";

const { dependencies } = JSON.parse(
  await readFile(new URL("../../package.json", import.meta.url), "utf8"),
) as Record<string, Record<string, string>>;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-python-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

test("the compiler is named with the exact version that is installed", () => {
  expect(PYTHON_COMPILER).toBe(`pyodide ${dependencies?.["pyodide"]}, form 2`);
});

test("compiled modules stand where Python looks for them", () => {
  expect(compiledPath("usr/lib/python3.13/json/__init__.py")).toBe(
    "usr/lib/python3.13/json/__pycache__/__init__.cpython-313.pyc",
  );
  expect(compiledPath("six.py")).toBe("__pycache__/six.cpython-313.pyc");
});

/** Milliseconds; the compiler takes two seconds to start, and longer where other tests run. */
const TIMEOUT = 120_000;

describe("a module", () => {
  const GREETING = moduleOf("/opt/x/greeting.py", 'def greet(name):\n    return f"hello {name}"\n');
  const SETS = ["x = {1, 2, 'a'}", "y = 'a' in {'b', 'a', 'c'}", "def f(): return (1.5, 'a', b'c')"].map(
    (text, index) => moduleOf(`/m${index}.py`, `${text}\n`),
  );
  const ODD = [
    "print 'Python 2'",
    "x = 1\0",
    `x = ${"-".repeat(10_000)}1`,
    `x = ${Array(10_000).fill("y").join(" + ")}`,
    // CPython has no limit of its own here, and its stack ends.
    `if a: pass\n${"elif a: pass\n".repeat(5000)}`,
    `x = "${"a".repeat(3_000_000)}"`,
  ].map((text, index) => moduleOf(`/odd${index}.py`, `${text}\n`));
  const LAST = moduleOf("/opt/x/last.py", "x = 1\n");

  let first: ReadonlyMap<string, Uint8Array>;
  beforeAll(async () => {
    first = await contentsOf(await compile([GREETING, ...SETS, ...ODD, LAST], "first"));
  }, TIMEOUT);

  test("becomes what CPython 3.13 writes, checked by its source and without a time", () => {
    const bytes = Buffer.from(first.get(GREETING.path) ?? []);
    // The magic number of 3.13, then "this is a hash, and look at it" (PEP 552).
    expect(bytes.toString("hex", 0, 8)).toBe("f30d0d0a03000000");
    // What `python3 -m compileall --invalidation-mode checked-hash` of Debian 13 made, in the form that we write.
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(
      "cd26151ccce5caee96d99e2f7e6a3d5cb8493a8def1a23c6a08507abfba59c32",
    );
  });

  test("that is no Python, or too deep for it, has no compiled form, and those after it have theirs", () => {
    expect([...first.keys()]).toEqual([GREETING, ...SETS, LAST].map(({ path }) => path));
  });

  test("is compiled once, whether or not it can be", async () => {
    const events: ProgressEvent[] = [];
    const again = await compile([GREETING, ...SETS, ...ODD, LAST], "first", events);
    expect(await contentsOf(again)).toEqual(first);
    expect(events).toEqual([]);
  });

  test(
    "is compiled again when what was kept is damaged, and to the same whatever comes before it",
    async () => {
      for (const file of await readdir(join(folder, "first"), { recursive: true }))
        if (file.length > 40) await writeFile(join(folder, "first", file), "damaged");
      const back = await contentsOf(await compile([LAST, ...SETS.toReversed(), GREETING], "first"));
      expect(Object.fromEntries(back)).toEqual(Object.fromEntries(first));
    },
    TIMEOUT,
  );
});

test("work that is interrupted ends at once", async () => {
  const controller = new AbortController();
  const work = compileModules([moduleOf("/x.py", "x = 1\n")], {
    cacheDir: join(folder, "interrupted"),
    what: "modules",
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("enough")),
  });
  await expect(work).rejects.toThrow("enough");
});

function moduleOf(path: string, text: string): ModuleSource {
  const bytes = new TextEncoder().encode(text);
  return { path, size: bytes.byteLength, open: () => streamOf(bytes) };
}

async function compile(
  modules: readonly ModuleSource[],
  cache: string,
  events: ProgressEvent[] = [],
): ReturnType<typeof compileModules> {
  return await compileModules(modules, {
    cacheDir: join(folder, cache),
    what: "modules",
    onProgress: (event) => events.push(event),
  });
}

async function contentsOf(
  compiled: Awaited<ReturnType<typeof compileModules>>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const [path, { open }] of compiled) contents.set(path, await collectBytes(open()));
  return contents;
}
