// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ArchiveEntry, fileEntryOf, sortEntries } from "../archive/index.ts";
import { addCompiledModules } from "./python-modules.ts";

/** Milliseconds; the compiler takes two seconds to start, and longer where other tests run. */
const TIMEOUT = 120_000;

let cacheDir: string;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "toolbox-modules-"));
});
afterAll(async () => rm(cacheDir, { recursive: true, force: true }));

describe("the Python modules of a layer", () => {
  test(
    "are compiled where programs import from: the standard library, Debian's packages, virtual environments",
    async () => {
      const packages = "usr/lib/python3/dist-packages";
      const link: ArchiveEntry = {
        type: "symlink",
        path: `${packages}/l.py`,
        target: "a.py",
        mode: 0o777,
        uid: 0,
        gid: 0,
      };
      const entries = sortEntries([
        link,
        ...[
          `${packages}/a.py`,
          `${packages}/a/tests/test_a.py`,
          `${packages}/broken.py`,
          `${packages}/made.py`,
          `${packages}/__pycache__/made.cpython-313.pyc`,
          "usr/lib/python3.13/os.py",
          "usr/lib/python3.12/antigravity.py",
          "usr/lib/git-core/script.py",
          "opt/x/lib/python3.13/site-packages/x/__init__.py",
          "opt/y/lib/node_modules/gyp/gyp.py",
        ].map((path) => fileEntryOf(path, path.includes("broken") ? "print 1" : "x = 1\n", { mode: 0o755 })),
      ]);
      expect(await addedTo(entries, [])).toEqual([
        "opt/x/lib/python3.13/site-packages/x/__pycache__",
        "opt/x/lib/python3.13/site-packages/x/__pycache__/__init__.cpython-313.pyc",
        "usr/lib/python3.13/__pycache__",
        "usr/lib/python3.13/__pycache__/os.cpython-313.pyc",
        `${packages}/__pycache__/a.cpython-313.pyc`,
      ]);
    },
    TIMEOUT,
  );

  test(
    "are for the Python of the base where the layer brings none, and stay sources for a series that we cannot compile",
    async () => {
      const path = "usr/lib/python3/dist-packages/a.py";
      const entries = sortEntries([fileEntryOf(path, "x = 1\n")]);
      const compiled = ["usr/lib/python3/dist-packages/__pycache__/a.cpython-313.pyc"];
      expect(await addedTo(entries, ["usr/bin/sh", "usr/lib/python3.13/os.py"])).toEqual(
        expect.arrayContaining(compiled),
      );
      expect(await addedTo(entries, ["usr/lib/python3.11/os.py"])).toEqual([]);
      expect(await addedTo(entries, ["usr/lib/python3.13/os.py", "usr/lib/python3.14/os.py"])).toEqual([]);
      expect(await addedTo(entries, [])).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    "have compiled forms of their own, of which a digest of the source says nothing",
    async () => {
      const source = { ...fileEntryOf("usr/lib/python3.13/os.py", "x = 1\n"), sha256: "5e".repeat(32) };
      const options = { cacheDir, what: "modules" };
      const { entries } = await addCompiledModules({ entries: [source], packages: [] }, refuseBase, options);
      const digests = entries.flatMap((entry) => (entry.type === "file" ? [entry.sha256] : []));
      expect(digests).toEqual([undefined, source.sha256]);
    },
    TIMEOUT,
  );

  test("do not ask for the base where there are none of Debian's", async () => {
    const files = { entries: sortEntries([fileEntryOf("usr/local/bin/kubectl", "x")]), packages: [] };
    expect(await addCompiledModules(files, refuseBase, { cacheDir, what: "modules" })).toBe(files);
  });
});

async function refuseBase(): Promise<never> {
  return Promise.reject(new Error("nobody needs the base"));
}

/** Paths that the layer has more when its modules are compiled. */
async function addedTo(
  entries: readonly ArchiveEntry[],
  basePaths: readonly string[],
): Promise<readonly string[]> {
  const options = { cacheDir, what: "modules" };
  const files = await addCompiledModules({ entries, packages: [] }, async () => basePaths, options);
  const before = new Set(entries.map(({ path }) => path));
  return files.entries.map(({ path }) => path).filter((path) => !before.has(path));
}
