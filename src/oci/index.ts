// SPDX-License-Identifier: Apache-2.0
/**
 * The OCI image format: digests, references, descriptors, manifests, and stores that hold them.
 * Knows image-spec v1.1.1 and how content moves from one store to another by digest.
 * Knows nothing of HTTP, recipes, engines or the command line.
 */
export {
  type ArtifactFile,
  identityOf,
  isMediaType,
  packArtifact,
  type PackArtifactOptions,
  type PackedArtifact,
} from "./artifact/artifact-manifest.ts";
export { titleOf } from "./artifact/artifact-title.ts";
export { type PulledArtifact, pullArtifact, type PulledFile } from "./artifact/pull-artifact.ts";
export {
  type ArtifactPlan,
  type LocalFile,
  planArtifact,
  pushArtifact,
  type PushArtifactOptions,
} from "./artifact/push-artifact.ts";
export {
  applyCopy,
  type ApplyCopyOptions,
  copyBlob,
  copyImage,
  type CopyImageOptions,
} from "./copy-image.ts";
export {
  type BlobSink,
  type BlobSource,
  type ContentSink,
  type ContentSource,
  type ManifestSink,
  type ManifestSource,
  type PutManifestOptions,
} from "./content-store.ts";
export {
  describeBytes,
  type Descriptor,
  type DescriptorPlatform,
  EMPTY_BYTES,
  EMPTY_DESCRIPTOR,
  formatPlatform,
} from "./descriptor.ts";
export {
  algorithmOf,
  createDigester,
  type Digest,
  type DigestAlgorithm,
  type Digester,
  digestOf,
  encodedOf,
  isDigest,
  parseDigest,
} from "./digest.ts";
export {
  type ContainerConfig,
  type ImageConfig,
  type ImageHistory,
  type ImageIndex,
  type ImageManifest,
} from "./image-manifest.ts";
export { type DockerArchiveImage, writeDockerArchive } from "./docker-archive.ts";
export { writeDockerArchiveFile } from "./docker-archive-file.ts";
export { findCosignTags, type FindTagged, type TaggedManifest } from "./cosign-tags.ts";
export { listLayoutReferrers } from "./layout-referrers.ts";
export { type LoadedImage, readDockerArchive } from "./read-docker-archive.ts";
export { LayoutStore, openLayoutStore, type OpenLayoutStoreOptions } from "./layout-store.ts";
export { REF_NAME } from "./layout-index.ts";
export { childrenOf, isManifestDescriptor } from "./manifest-children.ts";
export { createMemoryStore, type MemoryStore } from "./memory-store.ts";
export { blobNotFound, imageNotFound } from "./not-found.ts";
export {
  type CopyPlan,
  planCopy,
  type PlanCopyOptions,
  type PlannedBlob,
  type PlannedManifest,
} from "./plan-copy.ts";
export {
  type ListReferrersOf,
  readReferrerTree,
  type ReadReferrerTreeOptions,
  type ReferrerNode,
} from "./referrer-tree.ts";
export { type RemovalReport, type RemoveUnreferencedOptions } from "./remove-unreferenced.ts";
export { matchesPlatform, selectPlatform } from "./select-platform.ts";
export { type StoreProblem, type StoreReport, type VerifyLayoutOptions } from "./verify-layout.ts";
export { type ExpectedContent, verifyBytes, verifyStream } from "./verify-stream.ts";
export {
  isIndexMediaType,
  isManifestMediaType,
  layerCompressionOf,
  MANIFEST_MEDIA_TYPES,
  MEDIA_TYPES,
} from "./media-type.ts";
export {
  checkDescriptor,
  MANIFEST_LIMIT,
  parseImageConfig,
  type ParsedManifest,
  parseManifest,
} from "./parse-manifest.ts";
export { formatReference, isRepository, isTag, parseReference, type Reference } from "./reference.ts";
