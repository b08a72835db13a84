// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeWriteFailure, syncFolder } from "../core/atomic-file.ts";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { describeReadFailure, openPatiently } from "../core/file-limit.ts";
import { makeFolder } from "../core/make-folder.ts";
import { algorithmOf, createDigester, type Digest, type Digester, encodedOf, parseDigest } from "./digest.ts";
import { blobNotFound } from "./not-found.ts";
import { checkContent, checkSizeSoFar, type ExpectedContent } from "./verify-stream.ts";

/** Where a blob of a layout stands (image-spec v1.1.1, image-layout.md#blobs). */
export function blobPathIn(folder: string, digest: Digest): string {
  const checked = parseDigest(digest);
  return join(folder, "blobs", algorithmOf(checked), encodedOf(checked));
}

/** Folder for blobs that are still arriving; outside `blobs/`, where every file must be what its name says. */
export function ingestFolderOf(folder: string): string {
  return join(folder, "ingest");
}

/** Optional parts of {@link writeBlobFile}. */
export interface WriteBlobFileOptions {
  /** What the content must turn out to be. Absent: anything, named by its sha256. */
  readonly expected?: ExpectedContent;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a blob: temporary file, fsync, rename, fsync of the folder. Nothing is visible before, nothing stays behind
 * after a failure.
 *
 * @throws {ToolingError} `SIZE_MISMATCH`, `DIGEST_MISMATCH`, `DISK_FULL`, `FILE_UNWRITABLE`, and what `content` throws
 */
export async function writeBlobFile(
  folder: string,
  content: LentBytes,
  { expected, signal }: WriteBlobFileOptions = {},
): Promise<ExpectedContent> {
  const temporary = join(ingestFolderOf(folder), `${process.pid}-${randomUUID()}`);
  const source = new WatchedContent(content, expected, signal);
  try {
    await makeFolder(dirname(temporary), 0o755);
    await writeDurably(temporary, source);
    const written = source.finish();
    const path = blobPathIn(folder, written.digest);
    await makeFolder(dirname(path), 0o755);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw source.hasFailed ? error : describeWriteFailure(error, temporary);
  }
}

async function writeDurably(path: string, content: LentBytes): Promise<void> {
  const file = await openPatiently(path, "wx", 0o600);
  try {
    await writeFile(file, content);
    await file.chmod(0o444);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Hashes, counts and checks on the way, and remembers whether it was the content that failed and not the disk. */
class WatchedContent implements AsyncIterable<Uint8Array> {
  hasFailed = false;
  #size = 0;
  readonly #digester: Digester;
  readonly #content: LentBytes;
  readonly #expected: ExpectedContent | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(content: LentBytes, expected: ExpectedContent | undefined, signal: AbortSignal | undefined) {
    this.#digester = createDigester(expected && algorithmOf(expected.digest));
    this.#content = content;
    this.#expected = expected;
    this.#signal = signal;
  }

  async *[Symbol.asyncIterator](): LendingGenerator {
    const source = this.#content[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.#next(source);
        if (done === true) return;
        this.#digester.update(value);
        yield value;
      }
    } finally {
      await source.return?.();
    }
  }

  async #next(source: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      this.#signal?.throwIfAborted();
      const next = await source.next();
      if (next.done === true) return { done: true, value: undefined };
      this.#size += next.value.byteLength;
      if (this.#expected !== undefined) checkSizeSoFar(this.#size, this.#expected);
      return next;
    } catch (error) {
      this.hasFailed = true;
      throw error;
    }
  }

  /** Once, after all has been read. */
  finish(): ExpectedContent {
    const arrived = { digest: this.#digester.digest(), size: this.#size };
    if (this.#expected !== undefined) checkContent(arrived, this.#expected);
    return arrived;
  }
}

/**
 * Opens a blob. A link in its place is not followed, and the size is that of the very file that is then read.
 *
 * @throws {ToolingError} `BLOB_NOT_FOUND`, `FILE_LIMIT_EXCEEDED`, `FILE_UNREADABLE`, `STORE_CORRUPT`
 */
export async function openBlobFile(folder: string, { digest, size }: ExpectedContent): Promise<FileHandle> {
  const path = blobPathIn(folder, digest);
  const file = await openNoFollow(path, digest);
  const { size: found } = await file.stat();
  if (found === size) return file;
  await file.close();
  throw new ToolingError("STORE_CORRUPT", `"${path}" has ${found} bytes instead of ${size}`, {
    hint: "Remove that file and run the command again.",
  });
}

async function openNoFollow(path: string, digest: Digest): Promise<FileHandle> {
  try {
    return await openPatiently(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (isSystemError(error, "ENOENT")) throw blobNotFound(digest);
    if (isSystemError(error, "ELOOP")) {
      throw new ToolingError("STORE_CORRUPT", `"${path}" is a link`, {
        hint: "Remove it and run the command again.",
      });
    }
    throw describeReadFailure(error, path);
  }
}

/**
 * Whether the blob is there with the right size. If so its time is set to `now`, which keeps a clean-up away from it:
 * whoever asks is about to rely on it.
 */
export async function leaseBlobFile(
  folder: string,
  { digest, size }: ExpectedContent,
  now: Date,
): Promise<boolean> {
  const path = blobPathIn(folder, digest);
  try {
    await utimes(path, now, now);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    // A store that we may only read: nobody cleans it up under us.
    if (!isSystemError(error, "EPERM", "EACCES", "EROFS")) throw error;
  }
  try {
    const found = await stat(path);
    return found.isFile() && found.size === size;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}
