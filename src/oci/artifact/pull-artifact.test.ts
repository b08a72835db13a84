// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { streamOf } from "../../core/byte-stream.ts";
import { describeBytes, type Descriptor } from "../descriptor.ts";
import { MEDIA_TYPES } from "../media-type.ts";
import { createMemoryStore, type MemoryStore } from "../memory-store.ts";
import { pullArtifact } from "./pull-artifact.ts";
import { type ArtifactPlan, planArtifact, pushArtifact } from "./push-artifact.ts";

let folder: string;
let target: string;
let store: MemoryStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "artifact-"));
  target = join(folder, "target");
  await mkdir(target);
  store = createMemoryStore();
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function plan(files: Readonly<Record<string, string>>): Promise<ArtifactPlan> {
  const local = await Promise.all(
    Object.entries(files).map(async ([title, content], index) => {
      const path = join(folder, `source-${index}`);
      await writeFile(path, content);
      return { path, title, mediaType: "text/plain" };
    }),
  );
  return planArtifact("x/files", local);
}

async function push(files: Readonly<Record<string, string>>): Promise<Descriptor> {
  return pushArtifact(await plan(files), store);
}

describe("pullArtifact", () => {
  test("gives back what was pushed, and replaces files of the same names", async () => {
    const descriptor = await push({ "a.txt": "one", "b/c.txt": "two", "b/empty": "" });
    await writeFile(join(target, "a.txt"), "old");
    const { artifactType, files } = await pullArtifact(store, descriptor, target);
    expect(artifactType).toBe("x/files");
    expect(files.map(({ title, size }) => [title, size])).toEqual([
      ["a.txt", 3],
      ["b/c.txt", 3],
      ["b/empty", 0],
    ]);
    expect(await readFile(join(target, "a.txt"), "utf8")).toBe("one");
    expect(await readFile(join(target, "b/c.txt"), "utf8")).toBe("two");
    expect((await readdir(target)).toSorted()).toEqual(["a.txt", "b"]);
  });

  test("shows nothing when the last of the files is not what it should be", async () => {
    const descriptor = await push({ "a.txt": "one", "b.txt": "two" });
    const lying = {
      ...store,
      openBlob: (blob: Descriptor) => (blob.size === 3 ? streamOf(Buffer.from("bad")) : store.openBlob(blob)),
    };
    await expect(pullArtifact(lying, descriptor, target)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    const endless = { ...store, openBlob: () => repeat("zero") };
    await expect(pullArtifact(endless, descriptor, target)).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
    expect(await readdir(target)).toEqual([]);
  });

  test("goes through no link and replaces no folder", async () => {
    const descriptor = await push({ "a/b.txt": "one", "z.txt": "two" });
    const outside = join(folder, "outside");
    await mkdir(outside);
    await symlink(outside, join(target, "a"));
    await expect(pullArtifact(store, descriptor, target)).rejects.toMatchObject({ code: "PATH_CONFLICT" });
    await rm(join(target, "a"));
    await mkdir(join(target, "z.txt"));
    await expect(pullArtifact(store, descriptor, target)).rejects.toMatchObject({ code: "PATH_CONFLICT" });
    await rm(join(target, "z.txt"), { recursive: true });
    await symlink(join(outside, "z.txt"), join(target, "z.txt"));
    await expect(pullArtifact(store, descriptor, target)).rejects.toMatchObject({ code: "PATH_CONFLICT" });
    expect(await readdir(outside)).toEqual([]);
    expect(await readdir(target)).toEqual(["z.txt"]);
  });

  test("leaves out what has no name, and refuses an index", async () => {
    const bytes = new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: [] }),
    );
    const index = describeBytes(bytes, MEDIA_TYPES.imageIndex);
    await store.putManifest(index, bytes);
    await expect(pullArtifact(store, index, target)).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    const seal = await pushArtifact(await planArtifact("x/seal", []), store);
    expect(await pullArtifact(store, seal, target)).toMatchObject({ files: [], untitled: [{ size: 2 }] });
  });
});

test("a file that changes between plan and push is refused", async () => {
  const planned = await plan({ "a.txt": "one" });
  await writeFile(planned.files[0]?.path ?? "", "two");
  await expect(pushArtifact(planned, store)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
});

async function* repeat(text: string): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.from(text);
}
