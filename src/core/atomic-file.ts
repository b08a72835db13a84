// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSystemError, ToolingError } from "./error.ts";
import { openPatiently } from "./file-limit.ts";
import { makeFolder } from "./make-folder.ts";

/** Optional parts of {@link writeFileAtomically}. */
export interface WriteFileAtomicallyOptions {
  /** File mode bits, umask ignored. Absent: `0o644`. */
  readonly mode?: number;
}

/**
 * Replaces the file at `path` as a whole: temporary file on the same file system, fsync, rename, fsync of
 * the folder. A reader sees the old bytes or the new ones, a crash leaves one of the two.
 * Missing parent folders are made.
 *
 * @throws {ToolingError} `DISK_FULL`, `FILE_LIMIT_EXCEEDED`, `FILE_UNWRITABLE`
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644 }: WriteFileAtomicallyOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.tmp-${process.pid}-${randomUUID()}`);
  try {
    await makeFolder(folder);
    const file = await openPatiently(temporary, "wx", mode);
    try {
      await file.chmod(mode);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw describeWriteFailure(error, path);
  }
}

/** Makes a rename in `folder` durable. A no-op where folders cannot be opened (Windows). */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await openPatiently(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Turns a system error met while writing `path` into a {@link ToolingError}; passes all others through. */
export function describeWriteFailure(error: unknown, path: string): unknown {
  if (isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG")) {
    return new ToolingError("DISK_FULL", `no space left to write "${path}"`, {
      hint: "Free disk space (or move the store and the cache to a larger disk), then run the same command again.",
      cause: error,
    });
  }
  if (isSystemError(error, "EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EIO")) {
    return new ToolingError("FILE_UNWRITABLE", `"${path}" cannot be written (${error.code})`, {
      hint: "Check the owner and the permissions of that folder.",
      cause: error,
    });
  }
  return error;
}
