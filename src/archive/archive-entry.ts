// SPDX-License-Identifier: Apache-2.0
import { type LentBytes, streamOf } from "../core/byte-stream.ts";

/** What every entry that we write has. */
export interface ArchiveEntryBase {
  /** Relative, `/`-separated, without a leading or trailing slash and without `.` or `..` components. */
  readonly path: string;
  /** Permission bits, setuid, setgid and sticky included: `0o0` to `0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A regular file. */
export interface FileEntry extends ArchiveEntryBase {
  readonly type: "file";
  /** Bytes that `open()` yields. */
  readonly size: number;
  /**
   * SHA-256 of the content, lower-case hex, which `open()` itself holds it to: it fails at the end of anything else. Absent:
   * nobody knows yet.
   */
  readonly sha256?: string;
  /** Opens the content from its start; may be called more than once. */
  readonly open: () => LentBytes;
}

/** A directory. */
export interface DirectoryEntry extends ArchiveEntryBase {
  readonly type: "directory";
}

/** A symbolic link; `target` is written as it stands. */
export interface SymlinkEntry extends ArchiveEntryBase {
  readonly type: "symlink";
  readonly target: string;
}

/** A second name of an earlier entry; `target` is that entry's path. */
export interface HardlinkEntry extends ArchiveEntryBase {
  readonly type: "hardlink";
  readonly target: string;
}

/** One thing that an archive we write holds. Owners are numeric only and times are the archive's. */
export type ArchiveEntry = FileEntry | DirectoryEntry | SymlinkEntry | HardlinkEntry;

/** A file entry whose content is at hand. Absent members: mode `0o644`, owner 0:0. */
export function fileEntryOf(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644, uid = 0, gid = 0 }: Partial<Omit<ArchiveEntryBase, "path">> = {},
): FileEntry {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { type: "file", path, mode, uid, gid, size: bytes.byteLength, open: () => streamOf(bytes) };
}
