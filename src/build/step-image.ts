// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, writeTar } from "../archive/index.ts";
import { streamOf } from "../core/byte-stream.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import {
  type ContentSource,
  createDigester,
  type Digest,
  MEDIA_TYPES,
  openLayoutStore,
} from "../oci/index.ts";
import { formatImageConfig, formatImageManifest } from "./image-documents.ts";
import type { LayerBlob, LayerRecord } from "./layer-record.ts";
import { tapStream } from "./tap-stream.ts";

/** An image that only a step sees. */
export interface StepImage {
  readonly source: ContentSource;
  /** Of its manifest. */
  readonly digest: Digest;
}

/** What {@link writeStepImage} is made from. */
export interface StepImageParts {
  readonly platform: Platform;
  readonly base: Pick<LayerRecord, "blobs" | "inherited">;
  /** Holds the base's blobs. */
  readonly store: ContentSource;
  /** What lies on the base, sorted. */
  readonly entries: readonly ArchiveEntry[];
}

/** Lays `entries` on a base in a store of its own below `folder`, uncompressed: it is read once and thrown away. */
export async function writeStepImage(
  folder: string,
  { platform, base, store, entries }: StepImageParts,
  { signal }: OperationOptions,
): Promise<StepImage> {
  const own = await openLayoutStore(folder);
  const digester = createDigester();
  const tar = tapStream(writeTar(entries), (chunk) => digester.update(chunk));
  const { digest, size } = await own.ingestBlob(tar, { signal });
  const layer: LayerBlob = {
    mediaType: MEDIA_TYPES.layerTar,
    digest,
    size,
    diffID: digester.digest(),
    uncompressedSize: size,
  };
  const layers = [...base.blobs.map((blob) => ({ name: "base", blob })), { name: "packages", blob: layer }];
  const config = formatImageConfig({ platform, layers, labels: {}, shell: "sh", inherited: base.inherited });
  const manifest = formatImageManifest(platform, config.descriptor, layers, {});
  await own.putBlob(config.descriptor, streamOf(config.bytes), { signal });
  await own.putManifest(manifest.descriptor, manifest.bytes, { signal });
  const ofBase = new Set(base.blobs.map((blob) => blob.digest));
  return {
    digest: manifest.descriptor.digest,
    source: {
      openBlob: (descriptor, options) =>
        ofBase.has(descriptor.digest)
          ? store.openBlob(descriptor, options)
          : own.openBlob(descriptor, options),
      resolveManifest: async (wanted) => await own.resolveManifest(wanted),
      fetchManifest: async (descriptor) => await own.fetchManifest(descriptor),
    },
  };
}
