// SPDX-License-Identifier: Apache-2.0
import { compressGzip, fileEntryOf, sortEntries, writeTar } from "../../src/archive/index.ts";
import { collectBytes, streamOf } from "../../src/core/byte-stream.ts";
import {
  type ContentSink,
  describeBytes,
  type Descriptor,
  digestOf,
  MEDIA_TYPES,
} from "../../src/oci/index.ts";

/** An index of ours. */
export interface TwoPlatformImage {
  readonly index: Descriptor;
  /** By `os/architecture`. */
  readonly manifests: Readonly<Record<string, Descriptor>>;
}

/** Puts a real image for two CPUs, of one small layer each, into a store. `text` makes it differ from others. */
export async function putTwoPlatformImage(
  store: ContentSink,
  { tag, text }: { readonly tag: string; readonly text: string },
): Promise<TwoPlatformImage> {
  const manifests: Record<string, Descriptor> = {};
  for (const architecture of ["amd64", "arm64"]) {
    manifests[`linux/${architecture}`] = await putManifest(store, architecture, text);
  }
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageIndex,
    manifests: Object.values(manifests),
  };
  const bytes = encode(document);
  const index = describeBytes(bytes, MEDIA_TYPES.imageIndex);
  await store.putManifest(index, bytes, { tag });
  return { index, manifests };
}

async function putManifest(store: ContentSink, architecture: string, text: string): Promise<Descriptor> {
  const content = new TextEncoder().encode(`${text} for ${architecture}\n`);
  const tar = await collectBytes(writeTar(sortEntries([fileEntryOf("etc/greeting", content)])));
  const layer = await put(store, await collectBytes(compressGzip(streamOf(tar))), MEDIA_TYPES.layerGzip);
  const config = {
    architecture,
    os: "linux",
    config: { Env: ["PATH=/bin"], Labels: { text } },
    rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    config: await put(store, encode(config), MEDIA_TYPES.imageConfig),
    layers: [layer],
  };
  const bytes = encode(manifest);
  const descriptor = {
    ...describeBytes(bytes, MEDIA_TYPES.imageManifest),
    platform: { architecture, os: "linux" },
  };
  await store.putManifest(descriptor, bytes);
  return descriptor;
}

async function put(store: ContentSink, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
  const descriptor = describeBytes(bytes, mediaType);
  await store.putBlob(descriptor, streamOf(bytes));
  return descriptor;
}

function encode(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
