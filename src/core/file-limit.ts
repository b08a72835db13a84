// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isSystemError, ToolingError } from "./error.ts";

/** Milliseconds that we wait for files to be closed: by ourselves, or by other processes of the machine. */
const PATIENCE = 15_000;
const SHORTEST = 5;
const LONGEST = 200;

/**
 * Opens a file. While this process, or the machine, has too many open (EMFILE, ENFILE), waits for one to be closed.
 *
 * @throws {ToolingError} `FILE_LIMIT_EXCEEDED`
 */
export async function openPatiently(
  path: string,
  flags: string | number,
  mode?: number,
): Promise<FileHandle> {
  return await whenFilesAreFree(path, async () => open(path, flags, mode));
}

/**
 * Reads a whole file, with the patience of {@link openPatiently}.
 *
 * @throws {ToolingError} `FILE_LIMIT_EXCEEDED`
 */
export async function readPatiently(path: string): Promise<Buffer> {
  return await whenFilesAreFree(path, async () => readFile(path));
}

/**
 * Runs work that opens a file and changes nothing when it cannot, again and again as long as there are too many open.
 *
 * @throws {ToolingError} `FILE_LIMIT_EXCEEDED` after fifteen seconds
 */
export async function whenFilesAreFree<T>(path: string, work: () => Promise<T>): Promise<T> {
  // The clock is a module that takes half a millisecond to load; most files open at once.
  let end: number | undefined;
  for (let span = SHORTEST; ; span = Math.min(LONGEST, span * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!isSystemError(error, "EMFILE", "ENFILE")) throw error;
      end ??= performance.now() + PATIENCE;
      if (performance.now() > end) throw tooManyFiles(path, error);
    }
    // At random, so that those who wait for each other do not meet again.
    await sleep(span * (0.5 + Math.random()));
  }
}

function tooManyFiles(path: string, cause: NodeJS.ErrnoException): ToolingError {
  return new ToolingError("FILE_LIMIT_EXCEEDED", `"${path}" cannot be opened: too many files are open`, {
    hint: "Raise the limit (ulimit -n 1024), or do less at once, then run the same command again.",
    cause,
  });
}

/** Turns a system error met while reading `path` into a {@link ToolingError}; passes all others through. */
export function describeReadFailure(error: unknown, path: string): unknown {
  if (!isSystemError(error, "EACCES", "EPERM", "EIO", "EISDIR", "ELOOP")) return error;
  return new ToolingError("FILE_UNREADABLE", `"${path}" cannot be read (${error.code})`, {
    hint: "Check the owner and the permissions of that file, and the disk.",
    cause: error,
  });
}
