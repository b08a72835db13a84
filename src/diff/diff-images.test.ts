// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ImageRecipe,
  type LayerRecipe,
  putIndex,
  putLayeredImage,
} from "../../test/support/layered-image.ts";
import { type ContentSource, createMemoryStore, type Descriptor, type MemoryStore } from "../oci/index.ts";
import { diffImages, type ImageDiff, type PlatformContentDiff } from "./diff-images.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-diff-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const BASE: LayerRecipe = { members: [{ name: "etc/base", content: "base" }], createdBy: "base" };
const APP: LayerRecipe = { members: [{ name: "usr/bin/app", content: "one" }], createdBy: "app" };
const OTHER_APP: LayerRecipe = { ...APP, members: [{ name: "usr/bin/app", content: "two" }] };

describe("diffImages", () => {
  test("opens nothing when the digests are the same", async () => {
    const opened: string[] = [];
    const root = await putLayeredImage(createMemoryStore(), { layers: [BASE] });
    const source = watched(createMemoryStore(), opened);
    expect(await diffImages({ source, root }, { source, root })).toEqual({ same: true, platforms: [] });
    expect(opened).toEqual([]);
  });

  test("reads no manifest and no layer that both have, and without `files` no layer at all", async () => {
    const opened: string[] = [];
    const store = createMemoryStore();
    const arm = await putLayeredImage(store, { layers: [BASE], architecture: "arm64" });
    const [one, two] = [await put(store, [BASE, APP]), await put(store, [BASE, OTHER_APP])];
    const [from, to] = [await putIndex(store, [one, arm]), await putIndex(store, [two, arm])];
    const ends = [from, to].map((root) => ({ source: watched(store, opened), root })) as [End, End];
    const diff = await diffImages(...ends);
    expect(diff.platforms.map(({ platform, kind }) => [platform, kind])).toEqual([
      ["linux/amd64", "changed"],
      ["linux/arm64", "same"],
    ]);
    expect(opened).not.toContain(arm.digest);
    const { layers } = contentOf(diff);
    expect(layers.map(({ kind }) => kind)).toEqual(["same", "changed"]);
    expect(opened.filter((digest) => layers.some(({ to }) => to?.descriptor.digest === digest))).toEqual([]);
    await diffImages(...ends, { files: { temporaryFolder: folder } });
    expect(opened).toContain(layers[1]?.to?.descriptor.digest);
    expect(opened).not.toContain(layers[0]?.to?.descriptor.digest);
  });

  test("tells platforms that came and went, and their order", async () => {
    const store = createMemoryStore();
    const [amd, arm, s390] = await Promise.all(
      ["amd64", "arm64", "s390x"].map(async (architecture) =>
        putLayeredImage(store, { layers: [BASE], architecture }),
      ),
    );
    const from = await putIndex(store, [amd, arm] as Descriptor[]);
    const to = await putIndex(store, [s390, arm, amd] as Descriptor[], { annotations: { a: "b" } });
    const diff = await diffImages({ source: store, root: from }, { source: store, root: to });
    expect(diff.platforms.map(({ platform, kind }) => `${platform} ${kind}`)).toEqual([
      "linux/s390x added",
      "linux/arm64 same",
      "linux/amd64 same",
    ]);
    expect(diff.index?.changes).toEqual([
      { path: ["annotations"], to: { a: "b" } },
      { path: ["manifests"], from: ["linux/amd64", "linux/arm64"], to: ["linux/arm64", "linux/amd64"] },
    ]);
  });

  test("compares an image of one platform with its part of an index", async () => {
    const store = createMemoryStore();
    const [amd, arm] = [
      await put(store, [BASE]),
      await putLayeredImage(store, { layers: [BASE], architecture: "arm64" }),
    ];
    const index = await putIndex(store, [amd, arm]);
    const { platform: _, ...alone } = amd;
    const diff = await diffImages({ source: store, root: index }, { source: store, root: alone });
    expect(diff).toMatchObject({
      same: false,
      platforms: [
        { platform: "linux/amd64", kind: "same" },
        { platform: "linux/arm64", kind: "removed" },
      ],
    });
  });

  test("compares a config by name: labels, environment, the platform", async () => {
    const { config, layers } = await contentBetween(
      { layers: [BASE], config: { Env: ["A=1", "B=2"], Labels: { l: "x" } } },
      { layers: [BASE], config: { Env: ["B=3", "A=1"], Labels: { l: "y" } }, architecture: "arm64" },
    );
    expect(config?.changes).toEqual([
      { path: ["architecture"], from: "amd64", to: "arm64" },
      { path: ["config", "Env", "B"], from: "2", to: "3" },
      { path: ["config", "Labels", "l"], from: "x", to: "y" },
    ]);
    expect(layers.map(({ kind }) => kind)).toEqual(["same"]);
  });

  test("sees that an environment is only in another order", async () => {
    const { config } = await contentBetween(
      { layers: [BASE], config: { Env: ["A=1", "B=2"] } },
      { layers: [BASE], config: { Env: ["B=2", "A=1"] } },
    );
    expect(config?.changes.every(({ path }) => path[1] === "Env")).toBe(true);
    expect(config?.changes).not.toEqual([]);
  });

  test("finds where two documents part that say the same", async () => {
    const { config } = await contentBetween(
      { layers: [BASE], members: { author: "a", created: "2026-01-01T00:00:00Z" } },
      { layers: [BASE], members: { created: "2026-01-01T00:00:00Z", author: "a" } },
    );
    expect(config).toMatchObject({ changes: [], spelling: { offset: expect.any(Number) } });
  });

  test("tells another compression from another content, and where the blobs part", async () => {
    const { layers } = await contentBetween(
      { layers: [BASE, { ...APP, level: 1 }] },
      { layers: [BASE, { ...APP, level: 0 }] },
    );
    expect(layers).toMatchObject([{ kind: "same" }, { kind: "recompressed", blob: { offset: 0 } }]);
    expect(layers[1]?.descriptor).toMatchObject([{ path: ["mediaType"] }]);
  });

  test("opens layers of one side as well", async () => {
    const { layers } = await contentBetween({ layers: [BASE] }, { layers: [BASE, APP] });
    expect(layers).toMatchObject([
      { kind: "same" },
      { kind: "added", tar: { files: [{ kind: "added", path: "usr/bin/app" }] } },
    ]);
  });

  test("refuses a layer that is not what its digest says", async () => {
    const store = createMemoryStore();
    const [from, to] = [await put(store, [APP]), await put(store, [OTHER_APP])];
    const source: ContentSource = {
      ...store,
      openBlob: async function* (descriptor, options) {
        for await (const chunk of store.openBlob(descriptor, options)) {
          const isLayer = descriptor.mediaType.includes("layer");
          yield isLayer ? Uint8Array.from(chunk, (byte, index) => (index === 9 ? byte ^ 1 : byte)) : chunk;
        }
      },
    };
    const options = { files: { temporaryFolder: folder } };
    const diff = diffImages({ source, root: from }, { source, root: to }, options);
    await expect(diff).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });
});

interface End {
  readonly source: ContentSource;
  readonly root: Descriptor;
}

async function put(store: MemoryStore, layers: readonly LayerRecipe[]): Promise<Descriptor> {
  return await putLayeredImage(store, { layers });
}

async function contentBetween(from: ImageRecipe, to: ImageRecipe): Promise<PlatformContentDiff> {
  const source = createMemoryStore();
  const before = { source, root: await putLayeredImage(source, from) };
  const after = { source, root: await putLayeredImage(source, to) };
  return contentOf(await diffImages(before, after, { files: { temporaryFolder: folder } }));
}

function contentOf({ platforms }: ImageDiff): PlatformContentDiff {
  const [content] = platforms.flatMap(({ content }) => (content === undefined ? [] : [content]));
  if (content === undefined) throw new Error("no platform differs");
  return content;
}

function watched(store: ContentSource, opened: string[]): ContentSource {
  return {
    ...store,
    openBlob: (descriptor, options) => {
      opened.push(descriptor.digest);
      return store.openBlob(descriptor, options);
    },
    fetchManifest: async (descriptor, options) => {
      opened.push(descriptor.digest);
      return await store.fetchManifest(descriptor, options);
    },
  };
}
