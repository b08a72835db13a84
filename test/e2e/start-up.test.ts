// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openRegistryRepository } from "../../src/registry/index.ts";
import { type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";
import { makeFolder, ROOT, runProgram, type TemporaryFolder } from "../support/programs.ts";
import { addSampleImage, type SampleImage } from "../support/sample-image.ts";

// What a command costs before it does anything, in numbers that are the same on every machine.

const TOOLBOX = join(ROOT, "dist", "cli", "main.js");
const REPORTER = `process.on("exit", () => {
  const loaded = { files: Object.keys(require.cache), builtins: process.moduleLoadList };
  require("node:fs").writeFileSync(process.env.LOADED_FILES, JSON.stringify(loaded));
});`;

// Of Node.js itself: each takes from half a millisecond to five, and running a known image needs none of them.
const LATE_BUILTINS = [
  "dns",
  "fs/promises",
  "http",
  "http2",
  "https",
  "internal/fs/promises",
  "internal/fs/streams",
  "inspector",
  "perf_hooks",
  "readline",
  "timers/promises",
  "tls",
  "v8",
  "worker_threads",
  "zlib",
];

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await makeFolder("start-up");
  await writeFile(join(folder.path, "reporter.cjs"), REPORTER);
});
afterAll(async () => folder?.remove());

describe("a command loads few files of its own and none of its dependencies", () => {
  test("--version", async () => {
    const loaded = await load(["--version"]);
    expectLoaded(loaded, { files: 2, bytes: 32_000 });
    expectNotLoaded(loaded, [...LATE_BUILTINS, "child_process", "crypto", "os"]);
  });

  test("--help", async () => {
    expectLoaded(await load(["--help"]), { files: 3, bytes: 35_000 });
  });

  test("a command for the image, once the image is known", async () => {
    const engine = join(folder.path, "docker");
    const answer = '{"Client":{"Version":"27.0"},"Server":{"Version":"27.0"}}';
    await writeFile(engine, `#!/bin/sh\ncase $1 in version) echo '${answer}' ;; esac\n`);
    await chmod(engine, 0o755);
    const digest = `sha256:${"0".repeat(63)}1`;
    const use = { reference: "registry.example.com/team/tools:1.0", digest, platforms: {} };
    const session = { mounts: [], env: [], credentials: [] };
    const lock = { lockVersion: 1, images: {}, tools: {}, use, session };
    const workspace = join(folder.path, "workspace");
    await mkdir(workspace);
    await writeFile(join(workspace, "toolbox.lock"), JSON.stringify(lock));
    await load(["true"], workspace);
    const loaded = await load(["true"], workspace);
    expectLoaded(loaded, { files: 5, bytes: 150_000 });
    expectNotLoaded(loaded, LATE_BUILTINS);
  });

  test("image copy", async () => {
    expectLoaded(await load(["image", "copy", "--help"]), { files: 6, bytes: 230_000 });
  });

  test("build, with the libraries that read toolbox.yaml joined in", async () => {
    expectLoaded(await load(["build", "--help"]), { files: 26, bytes: 1_000_000 });
  });
});

describe("a copy with everything present", () => {
  let source: FaultyRegistry;
  let target: FaultyRegistry;
  let image: SampleImage;
  beforeEach(async () => {
    source = await startFaultyRegistry(({ forward }) => forward());
    target = await startFaultyRegistry(({ forward }) => forward());
    const repository = openRegistryRepository({ registry: source.backend, repository: "a" });
    image = await addSampleImage(repository, { tag: "v1" });
  });
  afterEach(async () => {
    await source?.close();
    await target?.close();
  });

  test("asks each registry once what the name of a manifest stands for, and does nothing more", async () => {
    const [manifest] = image.manifests;
    const from = `${source.address}/a@${manifest?.digest}`;
    await copy(from, `${target.address}/b:v1`);
    forget();
    expect(await copy(from, `${target.address}/b:v1`)).toContain("0 of 1 sent");
    expect(requests(source)).toEqual([`HEAD /v2/a/manifests/${manifest?.digest}`]);
    expect(requests(target)).toEqual(["HEAD /v2/b/manifests/v1"]);
  });

  test("asks for the manifests of an index besides, because a registry may hold some of them only", async () => {
    await copy(`${source.address}/a:v1`, `${target.address}/b:v1`);
    forget();
    await copy(`${source.address}/a:v1`, `${target.address}/b:v1`);
    expect(requests(source)).toEqual([
      `GET /v2/a/manifests/${image.index.digest}`,
      "HEAD /v2/a/manifests/v1",
    ]);
    const parts = image.manifests.map(({ digest }) => `HEAD /v2/b/manifests/${digest}`);
    expect(requests(target)).toEqual([...parts, "HEAD /v2/b/manifests/v1"].toSorted());
  });

  test("under another name writes that name and nothing else", async () => {
    const [manifest] = image.manifests;
    const from = `${source.address}/a@${manifest?.digest}`;
    await copy(from, `${target.address}/b:v1`);
    forget();
    await copy(from, `${target.address}/b:v2`);
    const changes = requests(target).filter((request) => !request.startsWith("HEAD "));
    expect(changes).toEqual(["PUT /v2/b/manifests/v2"]);
  });

  function forget(): void {
    source.seen.length = 0;
    target.seen.length = 0;
  }
});

async function copy(from: string, to: string): Promise<string> {
  const argv = [TOOLBOX, "image", "copy", from, to];
  const { code, stdout, stderr } = await runProgram(process.execPath, argv);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

function requests({ seen }: FaultyRegistry): string[] {
  return seen.map(({ method, target }) => `${method} ${target}`).toSorted();
}

interface Loaded {
  readonly paths: readonly string[];
  readonly bytes: number;
  /** What Node.js loaded of its own, without "node:". */
  readonly builtins: readonly string[];
}

/** The files that Node.js loads for a command, its own apart. */
async function load(argv: readonly string[], cwd: string = folder.path): Promise<Loaded> {
  const reporter = join(folder.path, "reporter.cjs");
  const report = join(folder.path, "loaded.json");
  const env = {
    // Without the machine's own certificates and proxies, which a session would look for.
    ...Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])),
    HOME: folder.path,
    LOADED_FILES: report,
    PATH: `${folder.path}:${process.env["PATH"] ?? ""}`,
    XDG_STATE_HOME: join(folder.path, "state"),
  };
  const args = ["--require", reporter, TOOLBOX, ...argv];
  const { code, stderr } = await runProgram(process.execPath, args, { cwd, env });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const all = JSON.parse(await readFile(report, "utf8")) as { files: string[]; builtins: string[] };
  const paths = all.files.filter((path) => path !== reporter);
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const builtins = all.builtins.map((name) => name.replace("NativeModule ", ""));
  return { paths, bytes: sizes.reduce((sum, size) => sum + size, 0), builtins };
}

function expectLoaded({ paths, bytes }: Loaded, most: { files: number; bytes: number }): void {
  expect(paths.filter((path) => path.includes("node_modules"))).toEqual([]);
  expect(paths.length, paths.join("\n")).toBeLessThanOrEqual(most.files);
  expect(paths.length).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(most.bytes);
}

function expectNotLoaded({ builtins }: Loaded, late: readonly string[]): void {
  expect(builtins.filter((name) => late.includes(name))).toEqual([]);
  expect(builtins).toContain("fs");
}
