// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, compressGzip, compressZstd, writeTar } from "../archive/index.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import type { OperationOptions } from "../core/operation.ts";
import {
  type ContentSink,
  type ContentSource,
  createDigester,
  type Digest,
  MEDIA_TYPES,
} from "../oci/index.ts";
import type { Compression } from "../workspace/index.ts";
import type { LayerBlob } from "./layer-record.ts";
import { tapStream } from "./tap-stream.ts";

/** What a build writes to and reads from: a store that also takes content of a digest not yet known. */
export interface LayerStore extends ContentSource, ContentSink {
  /** Takes a blob in and tells its name; nothing is visible before it is whole. */
  ingestBlob(
    content: LentBytes,
    options?: OperationOptions,
  ): Promise<{ readonly digest: Digest; readonly size: number }>;
}

/** How {@link writeLayer} works. */
export interface WriteLayerOptions extends OperationOptions {
  readonly compression: Compression;
  /** Names the layer in progress events. */
  readonly what: string;
}

/**
 * Writes one layer in a single pass: tar, digest, compression, store. Memory does not grow with its size.
 * `entries` are sorted (`sortEntries`).
 */
export async function writeLayer(
  entries: readonly ArchiveEntry[],
  store: LayerStore,
  { compression, what, signal, onProgress }: WriteLayerOptions,
): Promise<LayerBlob> {
  onProgress?.({ type: "started", what, total: sumSizes(entries) });
  const digester = createDigester();
  let uncompressedSize = 0;
  const tar = tapStream(writeTar(entries), (chunk) => {
    signal?.throwIfAborted();
    digester.update(chunk);
    uncompressedSize += chunk.byteLength;
    onProgress?.({ type: "advanced", what, done: uncompressedSize });
  });
  const { digest, size } = await store.ingestBlob(compress(tar, compression, signal), { signal });
  onProgress?.({ type: "finished", what, skipped: false });
  const mediaType = compression.algorithm === "zstd" ? MEDIA_TYPES.layerZstd : MEDIA_TYPES.layerGzip;
  return { mediaType, digest, size, diffID: digester.digest(), uncompressedSize };
}

function compress(
  content: LentBytes,
  { algorithm, level }: Compression,
  signal: AbortSignal | undefined,
): LentBytes {
  return algorithm === "zstd"
    ? compressZstd(content, { level, signal })
    : compressGzip(content, { level, signal });
}

/** Content, headers and padding: close enough to the tar's size for a progress bar. */
function sumSizes(entries: readonly ArchiveEntry[]): number {
  return entries.reduce((sum, entry) => sum + 512 + (entry.type === "file" ? entry.size : 0), 1024);
}
