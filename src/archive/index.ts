// SPDX-License-Identifier: Apache-2.0
/**
 * Archives and compression: tar, ar, zip; gzip, xz, zstd. Streaming in both directions.
 * Writing is deterministic to the byte, because the bytes of a tar are the identity of a layer.
 * Reading trusts nothing: each path, size and count is checked before it is handed on.
 * Knows nothing of images, packages or where the bytes come from.
 */
export {
  type ArchiveEntry,
  type ArchiveEntryBase,
  type DirectoryEntry,
  type FileEntry,
  fileEntryOf,
  type HardlinkEntry,
  type SymlinkEntry,
} from "./archive-entry.ts";
export { ENCODERS } from "./encoders.ts";
export { type CompressGzipOptions, compressGzip, GZIP_MEMBER_SIZE } from "./compress-gzip.ts";
export { compressZstd, type CompressZstdOptions } from "./compress-zstd.ts";
export { type CompressionFormat, decompress, type DecompressOptions } from "./decompress.ts";
export { comparePaths, isEntryPath, normalizeMemberPath, parentPath } from "./entry-path.ts";
export { type ExtractReport, extractTar, type ExtractTarOptions } from "./extract-tar.ts";
export { collisionKey } from "./path-policy.ts";
export { type ArMember, readAr } from "./read-ar.ts";
export { READ_LIMITS, type ReadLimits } from "./read-limits.ts";
export { readTar, type ReadTarOptions, type TarMember, type TarMemberType } from "./read-tar.ts";
export { readZip, type ReadZipOptions, type ZipMember } from "./read-zip.ts";
export { sortEntries } from "./sort-entries.ts";
export { writeTar, type WriteTarOptions } from "./write-tar.ts";
