// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, parseManifest } from "../../oci/index.ts";

/**
 * How a manifest stands in the list of its subject's referrers: with its own type and annotations
 * (distribution-spec v1.1.1, "Listing Referrers").
 */
export function describeReferrer({ mediaType, digest, size }: Descriptor, bytes: Uint8Array): Descriptor {
  const parsed = parseManifest(bytes, mediaType);
  const { annotations, artifactType } = parsed.kind === "index" ? parsed.index : parsed.manifest;
  const type = artifactType ?? (parsed.kind === "manifest" ? parsed.manifest.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size,
    ...(type !== undefined && { artifactType: type }),
    ...(annotations !== undefined && { annotations }),
  };
}
