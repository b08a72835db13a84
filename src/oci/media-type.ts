// SPDX-License-Identifier: Apache-2.0

/** Media types that we write or read as images (image-spec v1.1.1, media-types.md; Docker image manifest v2.2). */
export const MEDIA_TYPES = {
  imageIndex: "application/vnd.oci.image.index.v1+json",
  imageManifest: "application/vnd.oci.image.manifest.v1+json",
  imageConfig: "application/vnd.oci.image.config.v1+json",
  layerTar: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  layerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  empty: "application/vnd.oci.empty.v1+json",
  dockerManifestList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayerTar: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

/** Media types of manifests and indexes, in the order in which a client asks for them. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [
  MEDIA_TYPES.imageIndex,
  MEDIA_TYPES.imageManifest,
  MEDIA_TYPES.dockerManifestList,
  MEDIA_TYPES.dockerManifest,
];

/** Whether documents of this type list other manifests. */
export function isIndexMediaType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.imageIndex || mediaType === MEDIA_TYPES.dockerManifestList;
}

/** Whether documents of this type are manifests or indexes, not blobs. */
export function isManifestMediaType(mediaType: string): boolean {
  return MANIFEST_MEDIA_TYPES.includes(mediaType);
}

/** How a layer of this type is compressed. Absent when it is no layer of an image. */
export function layerCompressionOf(mediaType: string): "none" | "gzip" | "zstd" | undefined {
  if (mediaType === MEDIA_TYPES.layerTar || mediaType === MEDIA_TYPES.dockerLayerTar) return "none";
  if (mediaType === MEDIA_TYPES.layerGzip || mediaType === MEDIA_TYPES.dockerLayerGzip) return "gzip";
  return mediaType === MEDIA_TYPES.layerZstd ? "zstd" : undefined;
}
