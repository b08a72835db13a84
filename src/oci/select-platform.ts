// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { type Descriptor, type DescriptorPlatform, formatPlatform } from "./descriptor.ts";
import type { ImageIndex } from "./image-manifest.ts";

/** Whether a manifest for `platform` is meant by `wanted`, written `os/architecture[/variant]`. */
export function matchesPlatform(platform: DescriptorPlatform | undefined, wanted: string): boolean {
  if (platform === undefined) return false;
  const [os, architecture, variant] = wanted.split("/");
  if (platform.os !== os || platform.architecture !== architecture) return false;
  return variant === undefined || platform.variant === undefined || platform.variant === variant;
}

/**
 * The first manifest for a platform, written `os/architecture[/variant]` (image-spec v1.1.1, image-index.md).
 *
 * @throws {ToolingError} `PLATFORM_UNAVAILABLE`
 */
export function selectPlatform(index: ImageIndex, wanted: string): Descriptor {
  const found = index.manifests.find(({ platform }) => matchesPlatform(platform, wanted));
  if (found !== undefined) return found;
  const offered = index.manifests.flatMap(({ platform }) =>
    platform === undefined ? [] : [formatPlatform(platform)],
  );
  throw new ToolingError("PLATFORM_UNAVAILABLE", `image is not there for "${wanted}"`, {
    hint: offered.length === 0 ? "Ask whoever published it." : `Choose one of ${offered.join(", ")}.`,
  });
}
