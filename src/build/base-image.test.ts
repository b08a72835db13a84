// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ArchiveEntry, compressGzip, fileEntryOf, sortEntries, writeTar } from "../archive/index.ts";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import {
  type ContentSource,
  createMemoryStore,
  type Descriptor,
  describeBytes,
  digestOf,
  type LayoutStore,
  MEDIA_TYPES,
  openLayoutStore,
} from "../oci/index.ts";
import { importBaseImage } from "./base-image.ts";
import { isCaptured } from "./top-layer.ts";

let folder = "";
let store: LayoutStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-base-"));
  store = await openLayoutStore(join(folder, "store"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("a base image", () => {
  test("hands its layers on as they are, under OCI's names", async () => {
    const { source, manifest, layers } = await createImage({ layerType: MEDIA_TYPES.dockerLayerGzip });
    const base = await importBaseImage(source, manifest.digest, "linux/amd64", store, options);
    expect(base.blobs.map(({ digest, mediaType }) => [digest, mediaType])).toEqual(
      layers.map(({ digest }) => [digest, MEDIA_TYPES.layerGzip]),
    );
    for (const blob of base.blobs) expect(await store.hasBlob(blob)).toBe(true);
  });

  test("shows what is left when its layers lie on each other", async () => {
    const { source, manifest } = await createImage({});
    const { files, captured } = await importBaseImage(source, manifest.digest, "linux/amd64", store, options);
    expect(Object.keys(files).sort()).toEqual(["bin", "etc/passwd", "opt/new", "usr/bin/bash"]);
    expect(files["bin"]).toBe("link");
    expect(captured["etc/passwd"]).toMatchObject({ text: "root:second\n", mode: 0o644 });
    expect(captured["etc/gitconfig"]).toBeUndefined();
  });

  test("hands down its environment and its own labels, not what it says about itself", async () => {
    const { source, manifest } = await createImage({});
    const { inherited } = await importBaseImage(source, manifest.digest, "linux/amd64", store, options);
    expect(inherited).toEqual({ env: ["PATH=/bin", "JAVA=21"], labels: { team: "base" } });
  });

  test("is refused when it is for another CPU", async () => {
    const { source, manifest } = await createImage({});
    await expect(
      importBaseImage(source, manifest.digest, "linux/arm64", store, options),
    ).rejects.toMatchObject({
      code: "BINARY_WRONG_PLATFORM",
    });
  });

  test("is refused when its config names other layers than it has", async () => {
    const { source, manifest } = await createImage({ diffID: digestOf("other") });
    await expect(
      importBaseImage(source, manifest.digest, "linux/amd64", store, options),
    ).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
    });
  });

  test("is refused when the registry answers with another manifest", async () => {
    const { source, manifest } = await createImage({});
    const lying: ContentSource = { ...source, fetchManifest: async () => new TextEncoder().encode("{}") };
    await expect(
      importBaseImage(lying, manifest.digest, "linux/amd64", store, options),
    ).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
    });
  });
});

const options = { capture: isCaptured };

const LAYERS: readonly (readonly ArchiveEntry[])[] = [
  [
    fileEntryOf("etc/passwd", "root:first\n"),
    fileEntryOf("etc/gitconfig", "[user]\n"),
    fileEntryOf("opt/old", "old"),
    fileEntryOf("usr/bin/bash", "bash"),
    fileEntryOf("usr/share/gone/deep/file", "gone"),
    { type: "symlink", path: "bin", target: "usr/bin", mode: 0o777, uid: 0, gid: 0 },
  ],
  [
    fileEntryOf("etc/.wh.gitconfig", ""),
    fileEntryOf("etc/passwd", "root:second\n"),
    fileEntryOf("opt/.wh..wh..opq", ""),
    fileEntryOf("opt/new", "new"),
    fileEntryOf("usr/share/.wh.gone", ""),
  ],
];

interface ImageChanges {
  readonly layerType?: string;
  readonly diffID?: string;
}

async function createImage({ layerType = MEDIA_TYPES.layerGzip, diffID }: ImageChanges) {
  const source = createMemoryStore();
  const layers: Descriptor[] = [];
  const diffIDs: string[] = [];
  for (const entries of LAYERS) {
    const tar = await collectBytes(writeTar(sortEntries(entries)));
    const blob = await collectBytes(compressGzip(streamOf(tar)));
    layers.push(describeBytes(blob, layerType));
    diffIDs.push(diffID ?? digestOf(tar));
    await source.putBlob(describeBytes(blob, layerType), streamOf(blob));
  }
  const config = encode({
    architecture: "amd64",
    os: "linux",
    config: {
      Env: ["PATH=/bin", "JAVA=21"],
      Labels: { team: "base", "org.opencontainers.image.version": "12" },
    },
    rootfs: { type: "layers", diff_ids: diffIDs },
  });
  const configDescriptor = describeBytes(config, MEDIA_TYPES.imageConfig);
  await source.putBlob(configDescriptor, streamOf(config));
  const mediaType = MEDIA_TYPES.imageManifest;
  const bytes = encode({ schemaVersion: 2, mediaType, config: configDescriptor, layers });
  const manifest = describeBytes(bytes, mediaType);
  await source.putManifest(manifest, bytes);
  return { source, manifest, layers };
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
