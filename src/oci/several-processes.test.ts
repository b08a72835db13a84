// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLayoutStore } from "./layout-store.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** A program on compiled code: puts images, all with one layer in common, and tags them, again and again. */
const WRITER = `
import { createHash } from "node:crypto";
import { openLayoutStore } from "./out/oci/index.js";
const [folder, name, rounds, size = "20000"] = process.argv.slice(2);
const store = await openLayoutStore(folder);
async function* one(bytes) { yield bytes; }
async function put(content, mediaType) {
  const bytes = Buffer.from(content);
  const digest = "sha256:" + createHash("sha256").update(bytes).digest("hex");
  const descriptor = { mediaType, digest, size: bytes.byteLength };
  if (!(await store.hasBlob(descriptor))) await store.putBlob(descriptor, one(bytes));
  return descriptor;
}
const TYPE = "application/vnd.oci.image.";
for (let round = 0; round < Number(rounds); round += 1) {
  const layers = [await put("shared ".repeat(3000), TYPE + "layer.v1.tar"),
    await put((name + round).padEnd(Number(size)), TYPE + "layer.v1.tar")];
  const config = await put("{}" + " ".repeat(round % 3), TYPE + "config.v1+json");
  const mediaType = TYPE + "manifest.v1+json";
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
  const digest = "sha256:" + createHash("sha256").update(bytes).digest("hex");
  await store.putManifest({ mediaType, digest, size: bytes.byteLength }, bytes, { tag: name + ":" + round });
  if (round > 0 && round % 4 === 0) await store.untag(name + ":" + (round - 1));
  process.stdout.write(".");
}
`;

/** Cleans up all the time, with a grace period that is just long enough for one round of a writer. */
const CLEANER = `
import { openLayoutStore } from "./out/oci/index.js";
const store = await openLayoutStore(process.argv[2]);
process.once("SIGTERM", () => { stopped = true; });
let stopped = false;
process.stdout.write(".");
while (!stopped) await store.removeUnreferenced({ grace: 5000 });
`;

let bench: string;

beforeAll(async () => {
  bench = await mkdtemp(join(tmpdir(), "processes-"));
  await symlink(join(ROOT, "node_modules"), join(bench, "node_modules"), "junction");
  const compilerOptions = {
    rootDir: join(ROOT, "src"),
    outDir: join(bench, "out"),
    declaration: false,
    typeRoots: [join(ROOT, "node_modules", "@types")],
  };
  const config = {
    extends: join(ROOT, "tsconfig.build.json"),
    compilerOptions,
    include: [],
    files: [
      join(ROOT, "src/oci/index.ts"),
      join(ROOT, "src/archive/gzip-worker.mjs"),
      join(ROOT, "src/archive/xz-worker.mjs"),
    ],
  };
  await writeFile(join(bench, "tsconfig.json"), JSON.stringify(config));
  await writeFile(join(bench, "package.json"), '{"type":"module"}');
  await writeFile(join(bench, "writer.mjs"), WRITER);
  await writeFile(join(bench, "cleaner.mjs"), CLEANER);
  execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", bench], {
    stdio: "pipe",
  });
}, 60_000);

afterAll(async () => {
  await rm(bench, { recursive: true, force: true });
});

describe("a store that several processes use", () => {
  test("loses no image and no tag, also while another process cleans up", { timeout: 60_000 }, async () => {
    const folder = join(bench, "busy");
    const cleaner = start("cleaner.mjs", folder);
    await once(cleaner.stdout as NodeJS.ReadableStream, "data");
    const names = ["a", "b", "c", "d"];
    const codes = await Promise.all(
      names.map(async (name) => await endOf(start("writer.mjs", folder, name, "12"))),
    );
    cleaner.kill("SIGTERM");
    expect(await endOf(cleaner)).toBe(0);
    expect(codes).toEqual([0, 0, 0, 0]);
    const store = await openLayoutStore(folder);
    const tags = (await store.listTags()).map(({ name }) => name);
    expect(tags).toHaveLength(names.length * 10);
    expect((await store.verify({ deep: true })).problems).toEqual([]);
  });

  test("is sound after processes were killed, and takes the next image", { timeout: 60_000 }, async () => {
    const folder = join(bench, "killed");
    for (let round = 0; round < 15; round += 1) {
      const writer = start("writer.mjs", folder, `k${round}`, "1000");
      // Killed at one of its steps: after the nth sign of life, and a little more.
      for (let sign = 0; sign < round % 5; sign += 1)
        await once(writer.stdout as NodeJS.ReadableStream, "data");
      if (round % 2 === 0) await once(writer.stdout as NodeJS.ReadableStream, "data");
      writer.kill("SIGKILL");
      await endOf(writer);
      expect((await (await openLayoutStore(folder)).verify({ deep: true })).problems).toEqual([]);
    }
    expect(await endOf(start("writer.mjs", folder, "last", "1"))).toBe(0);
    const store = await openLayoutStore(folder);
    expect((await store.listTags()).map(({ name }) => name)).toContain("last:0");
    await store.removeUnreferenced({ grace: -10_000 });
    expect(await readdir(join(folder, "ingest"))).toEqual([]);
  });

  test.runIf(canMount())(
    "says that the disk is full, leaves nothing half-written, and goes on after that",
    async () => {
      const folder = join(bench, "small");
      const script = `mount -t tmpfs -o size=600k tmpfs "$1" && cd "$2"
      "$3" writer.mjs "$1/store" big 1 900000 2> "$1/error" && exit 3
      grep -q "'DISK_FULL'" "$1/error" || exit 4
      test -z "$(ls "$1/store/ingest")" || exit 5
      exec "$3" writer.mjs "$1/store" fits 1 1000`;
      await mkdir(folder);
      const args = [...UNSHARE, "sh", "-c", script, "sh", folder, bench, process.execPath];
      const shell = spawn("unshare", args, { stdio: ["ignore", "pipe", "inherit"] });
      expect(await endOf(shell)).toBe(0);
    },
  );
});

/** A mount name space of one's own. */
const UNSHARE = process.getuid?.() === 0 ? ["-m"] : ["-rm"];

function start(script: string, ...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [script, ...args], { cwd: bench, stdio: ["ignore", "pipe", "inherit"] });
}

async function endOf(child: ChildProcess): Promise<number | null> {
  child.stdout?.resume();
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

/** Whether this machine lets us have a small disk of our own. */
function canMount(): boolean {
  try {
    const unshare = process.getuid?.() === 0 ? "-m" : "-rm";
    execFileSync("unshare", [unshare, "mount", "-t", "tmpfs", "tmpfs", tmpdir()], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
