// SPDX-License-Identifier: Apache-2.0
import { type Header, pack } from "tar-stream";
import { compressGzip } from "../../src/archive/index.ts";
import { collectBytes, streamOf } from "../../src/core/byte-stream.ts";
import {
  type ContentSink,
  describeBytes,
  type Descriptor,
  digestOf,
  MEDIA_TYPES,
} from "../../src/oci/index.ts";

/** A member of a tar: its header, and what it holds. */
export type LayerMember = Partial<Header> &
  Pick<Header, "name"> & { readonly content?: string | Uint8Array | undefined };

/** A layer of a {@link putLayeredImage}. */
export interface LayerRecipe {
  /** In the order in which they are written. */
  readonly members: readonly LayerMember[];
  /** Absent: what {@link LayerRecipe.members} make. */
  readonly tar?: Uint8Array | undefined;
  /** Level of our gzip, which gives the same bytes everywhere. Absent: 6; 0 leaves the layer as it is. */
  readonly level?: number;
  readonly createdBy?: string;
}

/** An image that is put together layer by layer. */
export interface ImageRecipe {
  readonly layers: readonly LayerRecipe[];
  readonly architecture?: string;
  /** Members of the config's `config`. */
  readonly config?: object;
  /** Further members of the config. */
  readonly members?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A tar whose members stand as they are given, written by somebody else's code. Absent mtime: 0. */
export async function writeForeignTar(members: readonly LayerMember[]): Promise<Uint8Array> {
  const tar = pack();
  for (const { content = "", ...header } of members) {
    const settings = { mtime: new Date(0), ...header };
    if (header.type === undefined || header.type === "file") tar.entry(settings, Buffer.from(content));
    else tar.entry(settings);
  }
  tar.finalize();
  return await collectBytes(tar as AsyncIterable<Uint8Array>);
}

/** Puts one platform's manifest into a store, and gives its descriptor with the platform. */
export async function putLayeredImage(
  store: ContentSink,
  { layers, architecture = "amd64", config = {}, members = {}, annotations }: ImageRecipe,
  { tag }: { readonly tag?: string } = {},
): Promise<Descriptor> {
  const tars = await Promise.all(
    layers.map(async ({ tar, members }) => tar ?? (await writeForeignTar(members))),
  );
  const document = {
    architecture,
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) },
    history: layers.map(({ createdBy }) => ({ created_by: createdBy })),
    ...members,
  };
  const blobs: Descriptor[] = [];
  for (const [index, tar] of tars.entries())
    blobs.push(await putLayer(store, tar, layers[index]?.level ?? 6));
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    config: await putBlob(store, encode(document), MEDIA_TYPES.imageConfig),
    layers: blobs,
    annotations,
  };
  const descriptor = await putDocument(store, manifest, MEDIA_TYPES.imageManifest, tag);
  return { ...descriptor, platform: { architecture, os: "linux" } };
}

/** Puts an index over several manifests into a store. */
export async function putIndex(
  store: ContentSink,
  manifests: readonly Descriptor[],
  { tag, annotations }: { readonly tag?: string; readonly annotations?: object } = {},
): Promise<Descriptor> {
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests, annotations };
  return await putDocument(store, index, MEDIA_TYPES.imageIndex, tag);
}

async function putLayer(store: ContentSink, tar: Uint8Array, level: number): Promise<Descriptor> {
  if (level === 0) return await putBlob(store, tar, MEDIA_TYPES.layerTar);
  const packed = await collectBytes(compressGzip(streamOf(tar), { level }));
  return await putBlob(store, packed, MEDIA_TYPES.layerGzip);
}

async function putBlob(store: ContentSink, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
  const descriptor = describeBytes(bytes, mediaType);
  await store.putBlob(descriptor, streamOf(bytes));
  return descriptor;
}

async function putDocument(
  store: ContentSink,
  document: object,
  mediaType: string,
  tag: string | undefined,
): Promise<Descriptor> {
  const bytes = encode(document);
  const descriptor = describeBytes(bytes, mediaType);
  await store.putManifest(descriptor, bytes, { tag });
  return descriptor;
}

function encode(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
