// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openLayoutStore } from "../../src/oci/index.ts";
import { verifyRegistryFolder } from "../../src/registry/index.ts";
import {
  hasPrograms,
  makeFolder,
  outputOf,
  type ProgramResult,
  ROOT,
  runProgram,
  type TemporaryFolder,
} from "../support/programs.ts";
import { TOOLBOX } from "../support/programs-toolbox.ts";
import { readPublishedFiles } from "../support/system-calls.ts";

const WORKER = join(ROOT, "test", "support", "local-worker.mjs");
const IS_ROOT = process.getuid?.() === 0;
/** Without the right to pass over permissions, which root has otherwise. */
const PLAIN = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"];

let folder: TemporaryFolder;
let store: string;

beforeEach(async () => {
  folder = await makeFolder("limits");
  store = join(folder.path, "store");
});
afterEach(async () => {
  await outputOf("chmod", ["-R", "u+rwx", folder.path]);
  await folder.remove();
});

describe.runIf(hasPrograms("prlimit"))("a process that may open few files", () => {
  test("stores two hundred blobs at once, each when its turn comes", async () => {
    const { code, stdout } = await under(["prlimit", "--nofile=80:80"], WORKER, "crowd", store);
    expect(stdout).toBe("200 stored\n");
    expect(code).toBe(0);
    expect((await (await openLayoutStore(store)).verify({ deep: true })).problems).toEqual([]);
  });

  test("says so when no file is closed, leaves nothing, and stores when one is", async () => {
    const { stdout } = await under(["prlimit", "--nofile=80:80"], WORKER, "hoard", store);
    expect(stdout).toBe("FILE_LIMIT_EXCEEDED\nstored\n");
    expect(await readdir(join(store, "ingest"))).toEqual([]);
    expect((await (await openLayoutStore(store)).verify({ deep: true })).problems).toEqual([]);
  });

  test("copies an image all the same", async () => {
    await work("store", store);
    const copied = await under(
      ["prlimit", "--nofile=40:40"],
      TOOLBOX,
      "image",
      "copy",
      `oci:${store}`,
      "oci:copy:1",
    );
    expect(copied).toMatchObject({ code: 0 });
    expect(await under([], TOOLBOX, "image", "verify", "copy", "--deep")).toMatchObject({ code: 0 });
  });
});

test.runIf(hasPrograms("prlimit"))(
  "a file may not become that large: nothing is named, and more room is enough",
  async () => {
    await work("store", store);
    const words = [TOOLBOX, "image", "copy", `oci:${store}`, "oci:copy:1"] as const;
    const refused = await under(["prlimit", "--fsize=100000:100000"], ...words);
    expect(refused.stderr).toContain("DISK_FULL");
    expect(refused.code).toBe(7);
    const copy = await openLayoutStore(join(folder.path, "copy"));
    expect(await copy.listTags()).toEqual([]);
    expect((await copy.verify({ deep: true })).problems).toEqual([]);
    expect(await readdir(join(folder.path, "copy", "ingest"))).toEqual([]);
    expect(await under([], ...words)).toMatchObject({ code: 0 });
  },
);

describe.runIf(IS_ROOT && hasPrograms("setpriv"))("permissions that are missing are named:", () => {
  test.each([["index.json"], ["oci-layout"], ["blobs/sha256"], ["blob"]])("to read %s", async (what) => {
    await work("store", store);
    const path = what === "blob" ? await largestBlob() : join(store, what);
    const words = [TOOLBOX, "image", "copy", `oci:${store}:a:1`, "oci:copy:1"] as const;
    await chmod(path, 0o000);
    const refused = await under(PLAIN, ...words);
    expect(refused.stderr).toContain("FILE_UNREADABLE");
    expect(refused.code).toBe(7);
    await chmod(path, 0o755);
    expect(await under(PLAIN, ...words)).toMatchObject({ code: 0 });
  });

  test.each([["."], ["ingest"], ["blobs/sha256"]])(
    "to write into %s, and the store stays as it was",
    async (what) => {
      await work("store", store);
      const source = join(folder.path, "source");
      await work("store", source);
      const words = [TOOLBOX, "image", "copy", `oci:${source}`, `oci:${store}:b`] as const;
      const before = await readFile(join(store, "index.json"), "utf8");
      await chmod(join(store, what), 0o555);
      const refused = await under(PLAIN, ...words);
      expect(refused.stderr).toContain("FILE_UNWRITABLE");
      expect(refused.code).toBe(7);
      expect(await readFile(join(store, "index.json"), "utf8")).toBe(before);
      expect(await readdir(join(store, "ingest"))).toEqual([]);
      await chmod(join(store, what), 0o755);
      expect(await under(PLAIN, ...words)).toMatchObject({ code: 0 });
      expect((await (await openLayoutStore(store)).verify({ deep: true })).problems).toEqual([]);
    },
  );
});

test.runIf(IS_ROOT && hasPrograms("mount", "umount"))(
  "a disk that fails when it is read is named",
  async () => {
    await work("store", store);
    const path = join(store, "index.json");
    const words = [TOOLBOX, "image", "inspect", `oci:${store}`] as const;
    // The memory of a process has nothing at address 0: reading there is an I/O error.
    await outputOf("mount", ["--bind", `/proc/${process.pid}/mem`, path]);
    try {
      const refused = await under([], ...words);
      expect(refused.stderr).toContain("(EIO) [FILE_UNREADABLE]");
      expect(refused.code).toBe(7);
    } finally {
      await outputOf("umount", [path]);
    }
    expect(await under([], ...words)).toMatchObject({ code: 0 });
  },
);

test.each([["--raw"], ["--json"]])("output that does not fit is an error and no crash: %s", async (flag) => {
  await work("store", store);
  const script = `exec "$0" "$@" > /dev/full`;
  const words = ["-c", script, process.execPath, TOOLBOX, "image", "inspect", `oci:${store}`, flag];
  const refused = await runProgram("sh", words, { cwd: folder.path });
  expect(refused.stderr).toContain("[DISK_FULL]");
  expect(refused.stderr).not.toContain("    at ");
  expect(refused.code).toBe(7);
});

test("a registry whose log the disk cannot take serves on, and stops when told to", async () => {
  const script = `exec "$0" "$@" 2> /dev/full`;
  const words = ["registry", "serve", "--listen", "127.0.0.1:0", "--store", store, "--access-log"];
  const child = spawn("sh", ["-c", script, process.execPath, TOOLBOX, ...words], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const closed = once(child, "close");
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const url = /http:\S+/.exec(line)?.[0] ?? "";
    for (let round = 0; round < 3; round += 1) expect((await fetch(`${url}/v2/`)).status).toBe(200);
  } finally {
    child.kill("SIGTERM");
    await closed;
  }
  expect((await verifyRegistryFolder(store, { deep: true })).problems).toEqual([]);
});

describe.runIf(hasPrograms("strace"))("what a power loss may not take:", () => {
  test.each(["store", "registry"])(
    "every file of a %s is on the disk before it has its name, and its name before we go on",
    async (mode) => {
      const trace = join(folder.path, "trace");
      const calls = "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat";
      const strace = ["strace", "-f", "-y", "-s", "4096", "-o", trace, "-e", calls];
      expect(await under(strace, WORKER, mode, store)).toMatchObject({ code: 0 });
      const { named, unsynced } = readPublishedFiles(await readFile(trace, "utf8"), store);
      expect(unsynced).toEqual([]);
      expect(named).toBeGreaterThan(5);
      if (mode === "store") return;
      expect((await verifyRegistryFolder(store, { deep: true })).problems).toEqual([]);
    },
  );
});

async function work(mode: string, path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await outputOf(process.execPath, [WORKER, mode, path]);
}

/** Runs a script of Node.js, below another program where one is given. */
async function under(before: readonly string[], ...args: readonly string[]): Promise<ProgramResult> {
  const [program = "", ...rest] = [...before, process.execPath, ...args];
  return runProgram(program, rest, { cwd: folder.path });
}

async function largestBlob(): Promise<string> {
  const blobs = join(store, "blobs", "sha256");
  for (const name of await readdir(blobs)) {
    const path = join(blobs, name);
    if ((await readFile(path)).byteLength === 200_000) return path;
  }
  throw new Error("no large blob");
}
