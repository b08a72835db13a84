// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from "./descriptor.ts";
import { isManifestMediaType } from "./media-type.ts";
import type { ParsedManifest } from "./parse-manifest.ts";

/** What a manifest or index points at, in order: what must be there before it is. Its subject is no part of it. */
export function childrenOf(parsed: ParsedManifest): readonly Descriptor[] {
  return parsed.kind === "index"
    ? parsed.index.manifests
    : [parsed.manifest.config, ...parsed.manifest.layers];
}

/** Whether a child is itself a manifest or index. */
export function isManifestDescriptor({ mediaType }: Descriptor): boolean {
  return isManifestMediaType(mediaType);
}
