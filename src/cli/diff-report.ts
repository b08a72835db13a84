// SPDX-License-Identifier: Apache-2.0
import type { ImageDiff, LayerDiff, LayerEnd, PlatformDiff } from "../diff/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { ComparedImage } from "./compared-image.ts";
import type { ToolWeightChange } from "./tool-weights.ts";

/** Two images and how they differ. */
export interface DiffResult {
  readonly images: readonly [ComparedImage, ComparedImage];
  readonly diff: ImageDiff;
  /** Absent: one of the images does not say which tools it holds. */
  readonly tools: readonly ToolWeightChange[] | undefined;
}

/** What `toolbox diff --json` prints; docs/diff.md describes it. */
export function formatDiffReport({ images: [from, to], diff, tools }: DiffResult): object {
  return {
    same: diff.same,
    from: describeImage(from),
    to: describeImage(to),
    tools,
    index: diff.index,
    platforms: diff.platforms.map(describePlatform),
  };
}

function describeImage({ place, root }: ComparedImage): object {
  return { image: place, digest: root.digest, mediaType: root.mediaType };
}

function describePlatform({ platform, kind, from, to, descriptor, content }: PlatformDiff): object {
  return {
    platform,
    kind,
    from: from && describeContent(from),
    to: to && describeContent(to),
    descriptor,
    ...(content !== undefined && {
      manifest: content.manifest,
      config: content.config,
      layers: content.layers.map(describeLayer),
      tree: content.tree,
    }),
  };
}

function describeLayer({ from, to, kind, moved, descriptor, tar, blob }: LayerDiff): object {
  return {
    kind,
    moved,
    from: from && describeEnd(from),
    to: to && describeEnd(to),
    descriptor,
    files: tar?.files,
    reordered: tar?.reordered,
    tarBytes: tar?.bytes,
    blobBytes: blob,
  };
}

function describeEnd({ position, descriptor, diffID, name, createdBy }: LayerEnd): object {
  return { position, name, createdBy, diffID, ...describeContent(descriptor) };
}

function describeContent({ digest, size, mediaType }: Descriptor): object {
  return { digest, size, mediaType };
}
