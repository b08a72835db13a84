// SPDX-License-Identifier: Apache-2.0
import { decompress } from "../archive/index.ts";
import type { ByteStream, LentBytes } from "../core/byte-stream.ts";
import type { OperationOptions } from "../core/operation.ts";
import { layerCompressionOf, verifyStream } from "../oci/index.ts";
import { compareDescriptors } from "./compare-documents.ts";
import { compareTars, listTar, type TarDiff } from "./compare-tars.ts";
import type { ValueChange } from "./compare-values.ts";
import { type ByteDifference, findFirstDifference } from "./first-difference.ts";
import type { ImageEnd } from "./image-end.ts";
import type { LayerEnd, LayerPair } from "./pair-layers.ts";

/** What became of one layer. */
export interface LayerDiff {
  /** `recompressed`: the same tar in another wrapping. */
  readonly kind: LayerPair["kind"];
  readonly from?: LayerEnd | undefined;
  readonly to?: LayerEnd | undefined;
  /** Whether it stands elsewhere among the layers that both images have. */
  readonly moved: boolean;
  /** What the manifests say of it beside digest and size. */
  readonly descriptor: readonly ValueChange[];
  /** Path by path. Absent: it was not opened. */
  readonly tar?: TarDiff | undefined;
  /** Where the blobs themselves part. Absent: they were not compared as bytes. */
  readonly blob?: ByteDifference | undefined;
}

/** How {@link diffLayers} opens layers. */
export interface DiffLayersOptions {
  /** Opens the layers that are not the same, and keeps something there meanwhile. Absent: none is opened. */
  readonly files?: { readonly temporaryFolder: string } | undefined;
}

/**
 * Compares the layers of one platform, pair by pair.
 *
 * @throws {ToolingError} `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`,
 * `ARCHIVE_LIMIT_EXCEEDED`, and what the sources throw
 */
export async function diffLayers(
  pairs: readonly LayerPair[],
  [from, to]: readonly [ImageEnd, ImageEnd],
  {
    platform,
    files,
    signal,
    onProgress,
  }: DiffLayersOptions & OperationOptions & { readonly platform: string },
): Promise<readonly LayerDiff[]> {
  const rows: LayerDiff[] = [];
  for (const pair of pairs) {
    const row = describePair(pair);
    if (files === undefined || pair.kind === "same") {
      rows.push(row);
      continue;
    }
    const what = `compare layer ${((row.to ?? row.from)?.position ?? 0) + 1} of ${platform}`;
    onProgress?.({ type: "started", what });
    rows.push({ ...row, ...(await openPair(pair, [from, to], { ...files, signal })) });
    onProgress?.({ type: "finished", what, skipped: false });
  }
  return rows;
}

function describePair(pair: LayerPair): LayerDiff {
  if (pair.kind === "added" || pair.kind === "removed") return { ...pair, moved: false, descriptor: [] };
  return { ...pair, descriptor: compareDescriptors(pair.from.descriptor, pair.to.descriptor) };
}

type OpenedLayer = Pick<LayerDiff, "tar" | "blob">;

async function openPair(
  pair: LayerPair,
  [from, to]: readonly [ImageEnd, ImageEnd],
  options: { readonly temporaryFolder: string; readonly signal?: AbortSignal | undefined },
): Promise<OpenedLayer> {
  if (pair.kind === "added" || pair.kind === "removed") {
    const [end, layer] = pair.kind === "added" ? [to, pair.to] : [from, pair.from];
    return isTar(layer)
      ? { tar: { files: await listTar(() => openTar(end, layer, options), pair.kind, options) } }
      : {};
  }
  if (pair.kind === "changed" && isTar(pair.from) && isTar(pair.to)) {
    const tar = await compareTars(
      () => openTar(from, pair.from, options),
      () => openTar(to, pair.to, options),
      options,
    );
    return { tar };
  }
  return {
    blob: await findFirstDifference(openBlob(from, pair.from, options), openBlob(to, pair.to, options)),
  };
}

/** Whether paths can be read from it. */
export function isTar({ descriptor }: LayerEnd): boolean {
  return layerCompressionOf(descriptor.mediaType) !== undefined;
}

function openBlob(
  { source }: ImageEnd,
  { descriptor }: LayerEnd,
  options: Pick<OperationOptions, "signal">,
): ByteStream {
  return verifyStream(source.openBlob(descriptor, options), descriptor, options);
}

/** The tar of a layer, checked against the digest of its blob. */
export function openTar(
  end: ImageEnd,
  layer: LayerEnd,
  options: Pick<OperationOptions, "signal">,
): LentBytes {
  const format = layerCompressionOf(layer.descriptor.mediaType);
  return decompress(openBlob(end, layer, options), { format, signal: options.signal });
}
