// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compressGzip, fileEntryOf, readTar, sortEntries, writeTar } from "../archive/index.ts";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import { describeBytes, type Descriptor } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import { writeDockerArchive } from "./docker-archive.ts";
import { type LayoutStore, openLayoutStore } from "./layout-store.ts";
import { MEDIA_TYPES } from "./media-type.ts";
import { readDockerArchive } from "./read-docker-archive.ts";

let folder: string;
let store: LayoutStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "docker-archive-"));
  store = await openLayoutStore(join(folder, "store"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const REFERENCE = "docker.io/best-tools/sample:1.0";

describe("an archive for docker", () => {
  test("holds the layout and the manifest.json that names the same blobs", async () => {
    const image = await addImage(store);
    const files = new Map<string, Uint8Array>();
    for await (const { path, type, content } of readTar(
      writeDockerArchive(store, [{ descriptor: image, reference: REFERENCE }]),
    )) {
      if (type === "file") files.set(path, await collectBytes(content));
    }
    const [saved] = parse(files.get("manifest.json")) as [
      { Config: string; Layers: string[]; RepoTags: string[] },
    ];
    expect(saved.RepoTags).toEqual([REFERENCE]);
    for (const path of [saved.Config, ...saved.Layers]) {
      expect(`blobs/sha256/${digestOf(files.get(path) ?? "").slice(7)}`).toBe(path);
    }
    expect(parse(files.get("index.json"))).toMatchObject({
      manifests: [
        {
          digest: image.digest,
          annotations: {
            "org.opencontainers.image.ref.name": REFERENCE,
            "io.containerd.image.name": REFERENCE,
          },
        },
      ],
    });
  });

  test("comes back as the same image", async () => {
    const image = await addImage(store);
    const other = await openLayoutStore(join(folder, "other"));
    const archive = writeDockerArchive(store, [{ descriptor: image, reference: REFERENCE }]);
    const [loaded] = await readDockerArchive(archive, other);
    expect(loaded).toMatchObject({ descriptor: { digest: image.digest }, references: [REFERENCE] });
    await other.tag(REFERENCE, image);
    expect((await other.verify({ deep: true })).problems).toEqual([]);
  });

  test("has the same bytes each time", async () => {
    const image = await addImage(store);
    const archive = async (): Promise<Uint8Array> =>
      await collectBytes(writeDockerArchive(store, [{ descriptor: image, reference: REFERENCE }]));
    expect(await archive()).toEqual(await archive());
  });

  test("takes no index", async () => {
    const index = await addDocument(
      { schemaVersion: 2, manifests: [await addImage(store)] },
      MEDIA_TYPES.imageIndex,
    );
    await expect(collectBytes(writeDockerArchive(store, [{ descriptor: index }]))).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
    });
  });
});

describe("an archive of docker save", () => {
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [digestOf("tar one"), digestOf("tar one")] },
  });
  const saved = [{ Config: "abc.json", RepoTags: ["sample:1"], Layers: ["a/layer.tar", "b/layer.tar"] }];

  test("becomes an image, links between its layers included", async () => {
    const archive = writeTar(
      sortEntries([
        fileEntryOf("a/layer.tar", "tar one"),
        { type: "symlink", path: "b/layer.tar", target: "../a/layer.tar", mode: 0o777, uid: 0, gid: 0 },
        fileEntryOf("abc.json", config),
        fileEntryOf("manifest.json", JSON.stringify(saved)),
      ]),
    );
    const [image] = await readDockerArchive(archive, store);
    expect(image).toMatchObject({
      references: ["sample:1"],
      descriptor: { platform: { architecture: "amd64" } },
    });
    const { layers } = parse(await store.fetchManifest((image as { descriptor: Descriptor }).descriptor)) as {
      layers: Descriptor[];
    };
    expect(layers.map(({ digest }) => digest)).toEqual([digestOf("tar one"), digestOf("tar one")]);
  });

  test.each([
    [
      "names a layer that it does not hold",
      [fileEntryOf("manifest.json", JSON.stringify(saved)), fileEntryOf("abc.json", config)],
    ],
    ["names nothing", [fileEntryOf("readme", "hello")]],
    ["has a list of something else", [fileEntryOf("manifest.json", '[{"Config":1}]')]],
  ])("is refused when it %s", async (_, entries) => {
    await expect(readDockerArchive(writeTar(sortEntries(entries)), store)).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
    });
  });
});

async function addImage(to: LayoutStore): Promise<Descriptor> {
  const layer = await collectBytes(compressGzip(writeTar([fileEntryOf("hello", "world")])));
  const config = text(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [digestOf("x")] },
    }),
  );
  const layers = [describeBytes(layer, MEDIA_TYPES.layerGzip)];
  await to.putBlob(describeBytes(layer, ""), streamOf(layer));
  await to.putBlob(describeBytes(config, ""), streamOf(config));
  const manifest = { schemaVersion: 2, config: describeBytes(config, MEDIA_TYPES.imageConfig), layers };
  return await addDocument({ ...manifest, mediaType: MEDIA_TYPES.imageManifest }, MEDIA_TYPES.imageManifest);
}

async function addDocument(document: object, mediaType: string): Promise<Descriptor> {
  const bytes = text(JSON.stringify(document));
  const descriptor = describeBytes(bytes, mediaType);
  await store.putManifest(descriptor, bytes);
  return descriptor;
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function parse(bytes: Uint8Array | undefined): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
