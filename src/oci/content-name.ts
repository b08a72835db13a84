// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, type DescriptorPlatform, formatPlatform } from "./descriptor.ts";
import { isIndexMediaType } from "./media-type.ts";
import type { ParsedManifest } from "./parse-manifest.ts";

const TITLE = "org.opencontainers.image.title";
const SHORT = 12;

/** Names a manifest or an index for people: `manifest linux/arm64 (3f2a91c0b7de)`. */
export function nameManifest(descriptor: Descriptor): string {
  const kind = isIndexMediaType(descriptor.mediaType) ? "index" : "manifest";
  return join(kind, descriptor.platform, descriptor);
}

/**
 * Names a blob by its place in its manifest, or by the title that it has there: `layer 2 of 9 linux/arm64
 * (3f2a91c0b7de)`. The beginning of its digest makes it unlike others of the same place.
 */
export function nameChild(
  child: Descriptor,
  parsed: ParsedManifest,
  platform: DescriptorPlatform | undefined,
): string {
  const title = child.annotations?.[TITLE];
  if (title !== undefined && /^[ -~]{1,60}$/.test(title)) return join(title, platform, child);
  const layers = parsed.kind === "index" ? parsed.index.manifests : parsed.manifest.layers;
  const place = layers.findIndex(({ digest }) => digest === child.digest);
  return join(place < 0 ? "config" : `layer ${place + 1} of ${layers.length}`, platform, child);
}

function join(kind: string, platform: DescriptorPlatform | undefined, { digest }: Descriptor): string {
  const short = digest.slice(digest.indexOf(":") + 1).slice(0, SHORT);
  return `${kind}${platform === undefined ? "" : ` ${formatPlatform(platform)}`} (${short})`;
}
