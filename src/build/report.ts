// SPDX-License-Identifier: Apache-2.0
import type { Platform } from "../core/platform.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import type { AssembledPlatform } from "./assemble-image.ts";
import type { BuiltLayer } from "./build-layer.ts";
import type { LayerBlob } from "./layer-record.ts";

/** One layer of an image that was built. */
export interface LayerReport {
  readonly kind: "base" | "tool" | "top";
  /** `base`, the tool's name, `shared`, or `top`. */
  readonly name: string;
  /** Names of the tools inside; several where small tools share a layer, none in base and top. */
  readonly tools: readonly string[];
  readonly diffID: Digest;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Compressed bytes. */
  readonly size: number;
  readonly uncompressedSize: number;
  /** It was in the store before. */
  readonly cached: boolean;
}

/** One platform of an image that was built. */
export interface PlatformReport {
  readonly platform: Platform;
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  /** The base first, the top last. */
  readonly layers: readonly LayerReport[];
}

/** One image that was built. */
export interface ImageReport {
  readonly name: string;
  /** Its name in the local store. */
  readonly reference: string;
  readonly index: Descriptor;
  readonly platforms: readonly PlatformReport[];
}

/** What a build made, as plain data. */
export interface BuildReport {
  readonly images: readonly ImageReport[];
}

/** What was made of one platform. */
export function reportPlatform({
  platform,
  base,
  tools,
  top,
  config,
  manifest,
}: AssembledPlatform): PlatformReport {
  return {
    platform,
    manifest: manifest.descriptor,
    config,
    layers: [
      ...reportLayer(base, { kind: "base", name: "base", tools: [] }),
      ...tools.flatMap((made) =>
        reportLayer(made, { kind: "tool", name: made.layer.name, tools: made.layer.tools }),
      ),
      ...reportLayer(top, { kind: "top", name: "top", tools: [] }),
    ],
  };
}

function reportLayer(
  { record, cached }: BuiltLayer,
  what: Pick<LayerReport, "kind" | "name" | "tools">,
): readonly LayerReport[] {
  return record.blobs.map(
    ({ diffID, digest, mediaType, size, uncompressedSize }: LayerBlob): LayerReport => ({
      ...what,
      diffID,
      digest,
      mediaType,
      size,
      uncompressedSize,
      cached,
    }),
  );
}
