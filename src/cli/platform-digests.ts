// SPDX-License-Identifier: Apache-2.0
import type { Platform } from "../core/platform.ts";
import { type Descriptor, matchesPlatform, type ParsedManifest } from "../oci/index.ts";

/** The manifest of each platform that an image has, by digest. What is no index stands for every platform. */
export function platformDigests(
  { digest }: Descriptor,
  document: ParsedManifest,
  platforms: readonly Platform[],
): Partial<Record<Platform, string>> {
  const found: Partial<Record<Platform, string>> = {};
  for (const platform of platforms) {
    const child = document.kind === "index" ? childFor(document.index.manifests, platform)?.digest : digest;
    if (child !== undefined) found[platform] = child;
  }
  return found;
}

/** The first manifest for a platform. Absent: the image is not there for it. */
export function childFor(manifests: readonly Descriptor[], platform: Platform): Descriptor | undefined {
  return manifests.find((manifest) => matchesPlatform(manifest.platform, platform));
}
