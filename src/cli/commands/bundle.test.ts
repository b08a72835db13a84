// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { streamOf } from "../../core/byte-stream.ts";
import { describeBytes, MEDIA_TYPES, openLayoutStore } from "../../oci/index.ts";
import { localImageName } from "../../workspace/index.ts";
import { runProgram } from "../program.ts";

let folder = "";
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "toolbox-bundle-")));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("needs to know where", async () => {
  expect(await toolbox("bundle")).toBe(2);
});

test.runIf(process.platform === "linux")(
  "writes the session of a command, for the caller's eyes only",
  async () => {
    await putImage();
    expect(await toolbox("bundle", "out", "helm", "lint", "a b")).toBe(0);
    const file = join(folder, "out", "config.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { process: started, root } = JSON.parse(await readFile(file, "utf8")) as {
      process: { args: string[]; cwd: string; terminal: boolean };
      root: { path: string; readonly: boolean };
    };
    expect(started.args.slice(-3)).toEqual(["helm", "lint", "a b"]);
    expect(started).toMatchObject({ cwd: "/work", terminal: false });
    expect(root.readonly).toBe(true);
    expect((await stat(join(root.path, "work"))).isDirectory()).toBe(true);
  },
);

/** An image without a layer, built and locked. */
async function putImage(): Promise<void> {
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const store = await openLayoutStore(join(folder, "data/toolbox/store"));
  const config = encode({ architecture, os: "linux", rootfs: { type: "layers", diff_ids: [] } });
  const described = describeBytes(config, MEDIA_TYPES.imageConfig);
  await store.putBlob(described, streamOf(config));
  const mediaType = MEDIA_TYPES.imageManifest;
  const manifest = encode({ schemaVersion: 2, mediaType, config: described, layers: [] });
  await store.putManifest(describeBytes(manifest, mediaType), manifest, {
    tag: localImageName(undefined, "tools"),
  });
  const session = { image: "tools", mounts: [], env: [], credentials: [] };
  const lock = { lockVersion: 1, images: { tools: { tools: [] } }, tools: {}, session };
  await writeFile(join(folder, "toolbox.lock"), JSON.stringify(lock));
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

async function toolbox(...argv: readonly string[]): Promise<number> {
  return await runProgram(argv, {
    cwd: folder,
    env: {
      PATH: "/usr/bin:/bin",
      XDG_DATA_HOME: join(folder, "data"),
      XDG_STATE_HOME: join(folder, "state"),
    },
    home: `${folder}-home`,
    stdout: { write: () => {}, flush: async () => {} },
    stderr: { write: (text) => void process.stderr.write(text), flush: async () => {} },
    terminal: { stdin: false, stdout: false, stderr: false },
    columns: () => 80,
    interruptions: { signal: new AbortController().signal, release: () => {} },
  });
}
