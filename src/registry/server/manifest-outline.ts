// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { type Descriptor, type Digest, parseManifest } from "../../oci/index.ts";
import { RegistryFault } from "./registry-fault.ts";

/** What the registry needs to know of a manifest. */
export interface ManifestOutline {
  readonly mediaType: string;
  /** Blobs that must be there before the manifest is accepted. */
  readonly blobs: readonly Digest[];
  /** Manifests that must be there. */
  readonly manifests: readonly Digest[];
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest that a client pushes.
 *
 * @throws {RegistryFault} 400 `MANIFEST_INVALID`
 */
export function outlineManifest(bytes: Uint8Array, mediaType: string | undefined): ManifestOutline {
  const parsed = parse(bytes, mediaType);
  const document = parsed.kind === "index" ? parsed.index : parsed.manifest;
  const references =
    parsed.kind === "index"
      ? { blobs: [], manifests: parsed.index.manifests.map(({ digest }) => digest) }
      : { blobs: blobsOf([parsed.manifest.config, ...parsed.manifest.layers]), manifests: [] };
  const artifactType =
    document.artifactType ?? (parsed.kind === "manifest" ? parsed.manifest.config.mediaType : undefined);
  return {
    mediaType: parsed.mediaType,
    ...references,
    ...(document.subject !== undefined && { subject: document.subject.digest }),
    ...(artifactType !== undefined && artifactType !== "" && { artifactType }),
    ...(document.annotations !== undefined && { annotations: document.annotations }),
  };
}

function parse(bytes: Uint8Array, mediaType: string | undefined): ReturnType<typeof parseManifest> {
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (!(error instanceof ToolingError)) throw error;
    throw new RegistryFault(400, "MANIFEST_INVALID", error.message);
  }
}

/** Layers that may not be distributed live elsewhere (image-spec v1.1.1, layer.md; Docker's foreign layers). */
function blobsOf(descriptors: readonly Descriptor[]): Digest[] {
  return descriptors
    .filter(({ mediaType }) => !/\bnondistributable\b|\.foreign\./.test(mediaType))
    .map(({ digest }) => digest);
}
