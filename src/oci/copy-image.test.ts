// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addDocument, addTextImage, text } from "../../test/support/text-image.ts";
import { streamOf } from "../core/byte-stream.ts";
import { copyImage } from "./copy-image.ts";
import { type Descriptor } from "./descriptor.ts";
import { type LayoutStore, openLayoutStore } from "./layout-store.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";
import { MEDIA_TYPES } from "./media-type.ts";

let folder: string;
let store: LayoutStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "layout-"));
  store = await openLayoutStore(folder);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("copyImage", () => {
  test("copies an index with all its parts, and again for nothing", async () => {
    const source = createMemoryStore();
    const index = await addIndex(source);
    const events: string[] = [];
    const onProgress = (event: { type: string }): void => void events.push(event.type);
    expect(await copyImage(source, store, index, { tag: "a:1", onProgress })).toBe(index);
    expect(await store.resolveManifest("a:1")).toMatchObject({ digest: index.digest });
    expect(await store.verify({ deep: true })).toEqual({ problems: [], checked: 7 });
    expect(events.filter((type) => type === "started")).toHaveLength(4);
    events.length = 0;
    await copyImage(source, store, index, { tag: "a:2", onProgress });
    expect(events).not.toContain("started");
    expect((await store.listTags()).map(({ name }) => name)).toEqual(["a:1", "a:2"]);
  });

  test("copies one platform of an index, and the other one later", async () => {
    const source = createMemoryStore();
    const index = await addIndex(source);
    await copyImage(source, store, index, { platforms: ["linux/arm64"] });
    expect(await readdir(join(folder, "blobs", "sha256"))).toHaveLength(4);
    await copyImage(source, store, index);
    expect(await readdir(join(folder, "blobs", "sha256"))).toHaveLength(7);
    await expect(copyImage(source, store, index, { platforms: ["linux/s390x"] })).rejects.toMatchObject({
      code: "PLATFORM_UNAVAILABLE",
    });
  });

  test("names nothing when a blob is not what it should be", async () => {
    const source = createMemoryStore();
    const image = await addTextImage(source, "one");
    const lying = { ...source, openBlob: () => streamOf(text("other bytes")) };
    await expect(copyImage(lying, store, image, { tag: "a:1" })).rejects.toMatchObject({
      code: expect.stringMatching(/MISMATCH/),
    });
    expect(await store.listTags()).toEqual([]);
    expect(await store.hasManifest(image)).toBe(false);
  });

  test("sends nothing that the sink can mount", async () => {
    const source = createMemoryStore();
    const image = await addTextImage(source, "one");
    const mounted: string[] = [];
    const closed = { ...source, openBlob: () => streamOf(text("never read")) };
    const mountBlob = async ({ digest }: Descriptor): Promise<boolean> => mounted.push(digest) > 0;
    await copyImage(closed, store, image, { mountBlob });
    expect(mounted).toHaveLength(2);
  });
});

async function addIndex(to: MemoryStore): Promise<Descriptor> {
  const manifests = await Promise.all(
    ["amd64", "arm64"].map(async (architecture) => ({
      ...(await addTextImage(to, architecture)),
      platform: { os: "linux", architecture },
    })),
  );
  return await addDocument(
    to,
    { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests },
    MEDIA_TYPES.imageIndex,
  );
}
