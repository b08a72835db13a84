// SPDX-License-Identifier: Apache-2.0

/** A platform that images are built for, in GOOS/GOARCH words (image-spec v1.1.1, image-index.md). */
export type Platform = "linux/amd64" | "linux/arm64";

/** All platforms we build for, in the fixed order in which they stand in an index. */
export const PLATFORMS: readonly Platform[] = ["linux/amd64", "linux/arm64"];

/** The CPU part of a platform: `amd64` or `arm64`, which are also Debian's and Go's names. */
export type Architecture = "amd64" | "arm64";

/** `linux/arm64` gives `arm64`. */
export function architectureOf(platform: Platform): Architecture {
  return platform === "linux/arm64" ? "arm64" : "amd64";
}

/** Whether `text` names a platform that we build for. */
export function isPlatform(text: string): text is Platform {
  return PLATFORMS.some((platform) => platform === text);
}
