// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packArtifact } from "./artifact/artifact-manifest.ts";
import { planArtifact, pushArtifact } from "./artifact/push-artifact.ts";
import { applyCopy } from "./copy-image.ts";
import type { ContentSink } from "./content-store.ts";
import { describeBytes, type Descriptor } from "./descriptor.ts";
import { listLayoutReferrers } from "./layout-referrers.ts";
import { openLayoutStore } from "./layout-store.ts";
import { createMemoryStore } from "./memory-store.ts";
import { MEDIA_TYPES } from "./media-type.ts";
import { planCopy } from "./plan-copy.ts";
import { type ListReferrersOf, readReferrerTree } from "./referrer-tree.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "plan-copy-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(store: ContentSink, type: string, subject?: Descriptor): Promise<Descriptor> {
  return pushArtifact(await planArtifact(type, [], { subject }), store);
}

function listFrom(about: Readonly<Record<string, readonly Descriptor[]>>): ListReferrersOf {
  return async (digest) => about[digest] ?? [];
}

describe("a plan", () => {
  test("holds referrers, and theirs, before the root, and changes nothing", async () => {
    const from = createMemoryStore();
    const root = await put(from, "x/root");
    const sbom = await put(from, "x/sbom", root);
    const seal = await put(from, "x/seal", sbom);
    const listReferrers = listFrom({ [root.digest]: [sbom], [sbom.digest]: [seal] });
    const to = createMemoryStore();
    const plan = await planCopy(from, to, root, { listReferrers });
    expect(plan.manifests.map(({ descriptor }) => descriptor.digest)).toEqual([
      sbom.digest,
      seal.digest,
      root.digest,
    ]);
    expect(plan.referrers).toEqual([sbom, seal]);
    const [blob] = plan.blobs;
    expect(plan.blobs).toEqual([
      {
        descriptor: expect.objectContaining({ size: 2 }),
        name: expect.stringContaining(blob?.descriptor.digest.slice(7, 19) ?? "no digest"),
        isPresent: false,
      },
    ]);
    expect(await to.hasManifest(root)).toBe(false);
    await applyCopy(plan, from, to, { tag: "1" });
    const again = await planCopy(from, to, root, { listReferrers });
    expect(again.manifests.every(({ isPresent }) => isPresent)).toBe(true);
    expect(again.blobs).toEqual([]);
  });

  test("finds what is about a platform of an index that is there already", async () => {
    const from = createMemoryStore();
    const manifest = { ...(await put(from, "x/image")), platform: { os: "linux", architecture: "amd64" } };
    const bytes = new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: [manifest] }),
    );
    const index = describeBytes(bytes, MEDIA_TYPES.imageIndex);
    await from.putManifest(index, bytes);
    const to = createMemoryStore();
    await applyCopy(await planCopy(from, to, index), from, to);
    const sbom = await put(from, "x/sbom", manifest);
    const plan = await planCopy(from, to, index, { listReferrers: listFrom({ [manifest.digest]: [sbom] }) });
    expect(plan.referrers).toEqual([sbom]);
    expect(plan.manifests.filter(({ isPresent }) => !isPresent)).toHaveLength(1);
  });

  test("does not believe a list that names what is about something else", async () => {
    const from = createMemoryStore();
    const root = await put(from, "x/root");
    const other = await put(from, "x/other");
    const stray = await put(from, "x/sbom", other);
    const copy = planCopy(from, createMemoryStore(), root, {
      listReferrers: listFrom({ [root.digest]: [stray] }),
    });
    await expect(copy).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });
});

describe("readReferrerTree", () => {
  const descriptors = Array.from({ length: 30 }, (_, index) => packArtifact(`x/${index}`, []).descriptor);
  const [root = describeBytes(new Uint8Array(), "x/y")] = descriptors;

  test("ends where referrers point at each other", async () => {
    const [, a, b] = descriptors;
    const list = listFrom({
      [root.digest]: [a, b].filter((each) => each !== undefined),
      [a?.digest ?? ""]: [root, ...(b === undefined ? [] : [b])],
      [b?.digest ?? ""]: a === undefined ? [] : [a],
    });
    const tree = await readReferrerTree(list, root.digest);
    expect(tree).toMatchObject([{ descriptor: a, referrers: [{ descriptor: b, referrers: [] }] }]);
  });

  test("is cut off where there are too many, side by side or one on the other", async () => {
    const wide = listFrom({ [root.digest]: descriptors.slice(1) });
    await expect(readReferrerTree(wide, root.digest, { limit: 28 })).rejects.toMatchObject({
      code: "REGISTRY_FAILED",
    });
    expect(await readReferrerTree(wide, root.digest, { limit: 29 })).toHaveLength(29);
    const deep = listFrom(
      Object.fromEntries(
        descriptors.map(({ digest }, index) => [digest, descriptors.slice(index + 1, index + 2)]),
      ),
    );
    await expect(readReferrerTree(deep, root.digest)).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
    expect(await readReferrerTree(deep, root.digest, { depth: 30 })).toHaveLength(1);
  });
});

test("a layout knows what its index lists about an image", async () => {
  const store = await openLayoutStore(folder);
  const root = await put(store, "x/root");
  const sbom = await put(store, "x/sbom", root);
  await store.tag("a:1", root);
  expect(await listLayoutReferrers(store, root.digest)).toEqual([]);
  await store.addRoot(sbom);
  expect(await listLayoutReferrers(store, root.digest)).toEqual([sbom]);
});
