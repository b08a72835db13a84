// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addTextImage, text } from "../../test/support/text-image.ts";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import { type Descriptor } from "./descriptor.ts";
import { type LayoutStore, openLayoutStore } from "./layout-store.ts";

let folder: string;
let store: LayoutStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "layout-"));
  store = await openLayoutStore(folder);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("removeUnreferenced", () => {
  const hour = 3_600_000;
  const later = (): Date => new Date(Date.now() + 2 * hour);

  test("removes what no image needs, and keeps what one needs", async () => {
    const image = await addTextImage(store, "kept");
    await store.tag("a:1", image);
    const stray = await store.ingestBlob(streamOf(text("stray")));
    const gone = await addTextImage(store, "gone");
    const collector = await openLayoutStore(folder, { now: later });
    const report = await collector.removeUnreferenced();
    expect(report.removed.map(({ digest }) => digest)).toContain(stray.digest);
    expect(report.removed.map(({ digest }) => digest)).toContain(gone.digest);
    expect(report.removed).toHaveLength(4);
    expect(await store.verify({ deep: true })).toEqual({ problems: [], checked: 3 });
    await expect(collectBytes(store.openBlob(stray))).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
  });

  test("only tells under dryRun", async () => {
    const stray = await store.ingestBlob(streamOf(text("stray")));
    const collector = await openLayoutStore(folder, { now: later });
    expect(await collector.removeUnreferenced({ dryRun: true })).toEqual({ removed: [stray], freed: 5 });
    expect(await store.hasBlob(stray)).toBe(true);
  });

  test("keeps what was just written, and all that a just written manifest needs", async () => {
    const image = await addTextImage(store, "one");
    const long = new Date(Date.now() - 5 * hour);
    for (const name of await readdir(join(folder, "blobs", "sha256"))) {
      if (!image.digest.endsWith(name)) await utimes(join(folder, "blobs", "sha256", name), long, long);
    }
    expect(await store.removeUnreferenced()).toEqual({ removed: [], freed: 0 });
    expect(await store.removeUnreferenced({ grace: -1 })).toMatchObject({ removed: { length: 3 } });
  });

  test("keeps what was asked for since", async () => {
    const blob = await store.ingestBlob(streamOf(text("stray")));
    const long = new Date(Date.now() - 5 * hour);
    await utimes(store.blobPath(blob.digest), long, long);
    expect(await store.hasBlob(blob)).toBe(true);
    expect((await store.removeUnreferenced()).removed).toEqual([]);
  });

  test("clears away what a crash left in ingest/", async () => {
    await store.ingestBlob(streamOf(text("x")));
    await writeFile(join(folder, "ingest", "123-left"), "half");
    await store.removeUnreferenced();
    expect(await readdir(join(folder, "ingest"))).toEqual(["123-left"]);
    await store.removeUnreferenced({ grace: -1000 });
    expect(await readdir(join(folder, "ingest"))).toEqual([]);
  });

  test("removes nothing when an image cannot be read", async () => {
    const image = await addTextImage(store, "one");
    await store.tag("a:1", image);
    await chmod(store.blobPath(image.digest), 0o644);
    await writeFile(store.blobPath(image.digest), "{");
    await expect(store.removeUnreferenced({ grace: -1 })).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect(await readdir(join(folder, "blobs", "sha256"))).toHaveLength(3);
  });
});

describe("verify", () => {
  test("finds missing, shortened, altered and stray files", async () => {
    const image = await addTextImage(store, "one");
    await store.tag("a:1", image);
    const { config, layers } = JSON.parse(new TextDecoder().decode(await store.fetchManifest(image))) as {
      config: Descriptor;
      layers: [Descriptor];
    };
    await rm(store.blobPath(config.digest));
    await chmod(store.blobPath(layers[0].digest), 0o644);
    await writeFile(store.blobPath(layers[0].digest), "OTHER one");
    await writeFile(join(folder, "blobs", "sha256", "notes.txt"), "");
    const kinds = async (deep: boolean): Promise<string[]> =>
      (await store.verify({ deep })).problems.map(({ kind }) => kind).toSorted();
    expect(await kinds(false)).toEqual(["missing", "stray"]);
    expect(await kinds(true)).toEqual(["altered", "missing", "stray"]);
  });
});
