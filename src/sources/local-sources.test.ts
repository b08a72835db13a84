// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ArchiveEntry, fileEntryOf, sortEntries, writeTar } from "../archive/index.ts";
import type { ImageSourceDefinition, LockedToolPlatform } from "../catalog/index.ts";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { Platform } from "../core/platform.ts";
import {
  createMemoryStore,
  type Descriptor,
  describeBytes,
  MEDIA_TYPES,
  type MemoryStore,
} from "../oci/index.ts";
import { fileSource } from "./file-source.ts";
import { imageSource } from "./image-source.ts";
import { createMirrors } from "./mirrors.ts";
import { runProgram } from "./subprocess.ts";
import type { SourceContext, ToolSource } from "./tool-source.ts";

const TOOL = { name: "lint", binaries: ["lint"] };

let folder: string;
let context: SourceContext;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sources-"));
  const workspaceDir = join(folder, "workspace");
  await mkdir(join(workspaceDir, "bin"), { recursive: true });
  await writeFile(join(workspaceDir, "bin", "lint"), "#!/bin/sh\necho lint\n");
  context = {
    cacheDir: join(folder, "cache"),
    fetchFile: async () => {
      throw new Error("nothing is downloaded here");
    },
    mirrors: createMirrors({ env: {}, clients: {} }),
    platforms: ["linux/amd64", "linux/arm64"],
    host: { os: "linux", arch: "amd64" },
    env: {},
    toolchains: [],
    now: () => new Date(),
    workspaceDir,
  };
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("a file of the workspace", () => {
  test("is locked by content, for all platforms, and lands on PATH", async () => {
    const locked = await fileSource.lockTool(
      { source: "file", path: "./bin/lint" },
      TOOL,
      { range: "latest" },
      context,
    );
    expect(locked.version).toMatch(/^0\.0\.0\+[0-9a-f]{12}$/);
    expect(locked.platforms["linux/arm64"]).toMatchObject({
      path: "bin/lint",
      binary: "lint",
      file: { name: "lint", size: 20 },
    });
    expect(await textOf(fileSource, locked.platforms["linux/amd64"], "usr/local/bin/lint")).toContain(
      "echo lint",
    );
  });

  test.each([
    ["is longer", "#!/bin/sh\necho lint lint\n"],
    ["is as long as before", "#!/bin/sh\necho list\n"],
  ])("that changed since it was locked is refused when it %s", async (_, content) => {
    const { platforms } = await fileSource.lockTool(
      { source: "file", path: "bin/lint" },
      TOOL,
      { range: "1.0.0" },
      context,
    );
    await writeFile(join(context.workspaceDir, "bin", "lint"), content);
    await expect(textOf(fileSource, platforms["linux/amd64"], "usr/local/bin/lint")).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
    });
  });

  test.each([
    ["is missing", "bin/none", "FILE_NOT_FOUND"],
    ["is a folder", "bin", "FILE_NOT_FOUND"],
    ["lies elsewhere", "../outside", "POLICY_REFUSED"],
    ["is absolute", "/etc/hostname", "POLICY_REFUSED"],
    ["is a link out of the workspace", "bin/link", "POLICY_REFUSED"],
  ])("that %s is refused", async (_, path, code) => {
    await writeFile(join(folder, "outside"), "secret");
    await symlink(join(folder, "outside"), join(context.workspaceDir, "bin", "link"));
    const locking = fileSource.lockTool({ source: "file", path }, TOOL, { range: "latest" }, context);
    await expect(locking).rejects.toMatchObject({ code });
  });

  test("that is there for one platform only is PLATFORM_UNAVAILABLE for the other", async () => {
    const definition = { source: "file", path: { "linux/amd64": "bin/lint" } } as const;
    const locking = fileSource.lockTool(definition, TOOL, { range: "latest" }, context);
    await expect(locking).rejects.toMatchObject({ code: "PLATFORM_UNAVAILABLE" });
  });
});

describe("a file of another image", () => {
  const definition: ImageSourceDefinition = {
    source: "image",
    reference: "registry.example/lint:1.4",
    paths: [{ from: "opt/lint/lint", to: "usr/local/bin/lint" }],
  };

  test("comes from the topmost layer that has it, and is locked by the manifest's digest", async () => {
    const store = await openStore([
      [fileEntryOf("opt/lint/lint", "old", { mode: 0o755 })],
      [fileEntryOf("opt/lint/lint", "new", { mode: 0o755 }), fileEntryOf("opt/other", "x")],
    ]);
    const locked = await imageSource.lockTool(definition, TOOL, { range: "latest" }, store);
    expect(locked.version).toBe("1.4");
    expect(locked.platforms["linux/amd64"]).toMatchObject({
      digest: expect.stringMatching(/^sha256:/) as string,
    });
    expect(await textOf(imageSource, locked.platforms["linux/amd64"], "usr/local/bin/lint", store)).toBe(
      "new",
    );
  });

  test.each([
    ["by name", ".wh.lint"],
    ["with all its folder", ".wh..wh..opq"],
  ])("that an upper layer removed %s is not found", async (_, whiteout) => {
    const store = await openStore([
      [fileEntryOf("opt/lint/lint", "old", { mode: 0o755 })],
      [fileEntryOf(`opt/lint/${whiteout}`, "")],
    ]);
    const { platforms } = await imageSource.lockTool(definition, TOOL, { range: "1.4.0" }, store);
    await expect(textOf(imageSource, platforms["linux/amd64"], "", store)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
  });

  test("whose image is not for a platform is PLATFORM_UNAVAILABLE", async () => {
    const store = await openStore([[fileEntryOf("opt/lint/lint", "x")]]);
    const both: SourceContext = { ...store, platforms: ["linux/amd64", "linux/arm64"] };
    await expect(imageSource.lockTool(definition, TOOL, { range: "latest" }, both)).rejects.toMatchObject({
      code: "PLATFORM_UNAVAILABLE",
    });
  });

  test("by a reference with a version in it needs an exact version", async () => {
    const store = await openStore([[fileEntryOf("opt/lint/lint", "x")]]);
    const versioned = { ...definition, reference: "registry.example/lint:{{version}}" };
    await expect(imageSource.lockTool(versioned, TOOL, { range: "^1" }, store)).rejects.toMatchObject({
      code: "VERSION_NOT_FOUND",
    });
  });
});

describe("a program that we run", () => {
  test("gets its arguments and its environment, and nothing else", async () => {
    const script = "console.log(JSON.stringify([process.argv.slice(1), Object.keys(process.env)]))";
    const { stdout, exitCode } = await runProgram(process.execPath, ["-e", script, "$(x)", ""], {
      cwd: folder,
      env: { ONLY: "1" },
    });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual([["$(x)", ""], ["ONLY"]]);
  });

  test("ends with all its children when it is aborted", async () => {
    const stop = new AbortController();
    const file = join(folder, "parent.sh");
    await writeFile(file, "#!/bin/sh\nsleep 600 & echo started >&2\nwait\n");
    await chmod(file, 0o755);
    const running = runProgram("/bin/sh", [file], {
      cwd: folder,
      env: { PATH: "/usr/bin:/bin" },
      signal: stop.signal,
      onErrorLine: () => stop.abort(new Error("enough")),
    });
    // It only settles when nobody holds the output any more, the sleeping child included.
    await expect(running).rejects.toThrow("enough");
  });

  test("that is not there is COMMAND_NOT_FOUND", async () => {
    await expect(runProgram("no-such-program", [], { cwd: folder, env: {} })).rejects.toMatchObject({
      code: "COMMAND_NOT_FOUND",
    });
  });
});

/** A context whose images are one image for linux/amd64 of these layers, bottom first. */
async function openStore(layers: readonly (readonly ArchiveEntry[])[]): Promise<SourceContext> {
  const store = createMemoryStore();
  const descriptors: Descriptor[] = [];
  for (const entries of layers) {
    descriptors.push(
      await put(store, MEDIA_TYPES.layerTar, await collectBytes(writeTar(sortEntries(entries)))),
    );
  }
  const diffIds = descriptors.map(({ digest }) => digest);
  const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: diffIds } };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    config: await put(store, MEDIA_TYPES.imageConfig, new TextEncoder().encode(formatCanonicalJson(config))),
    layers: descriptors,
  };
  const bytes = new TextEncoder().encode(formatCanonicalJson(manifest));
  await store.putManifest(describeBytes(bytes, MEDIA_TYPES.imageManifest), bytes, { tag: "1.4" });
  const platforms: readonly Platform[] = ["linux/amd64"];
  return { ...context, platforms, openImage: async () => store };
}

async function put(store: MemoryStore, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const descriptor = describeBytes(bytes, mediaType);
  await store.putBlob(descriptor, streamOf(bytes));
  return descriptor;
}

async function textOf(
  source: ToolSource,
  locked: LockedToolPlatform | undefined,
  path: string,
  sourceContext: SourceContext = context,
): Promise<string> {
  if (locked === undefined) throw new Error("not locked");
  const entries = await source.materializeTool(locked, "linux/amd64", sourceContext);
  const entry = entries.find((each) => each.path === path);
  if (entry?.type !== "file") throw new Error(`no ${path}`);
  return new TextDecoder().decode(await collectBytes(entry.open()));
}
