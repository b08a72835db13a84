// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { constants, copyFile, chmod, type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder } from "../../../core/atomic-file.ts";
import { isSystemError } from "../../../core/error.ts";
import type { Digest } from "../../../oci/index.ts";
import { linkFile, makeDurableFolder, removeFile } from "./durable-file.ts";
import type { StorageFolder } from "./storage-folder.ts";

/** A blob that is open; the caller closes it. Deleting the blob meanwhile does not disturb the reader. */
export interface OpenedBlob {
  readonly file: FileHandle;
  readonly size: number;
}

/** How old, in milliseconds, a use must be before it is noted again. */
const LEASE_STEP = 60_000;

/**
 * Blobs of all repositories. Content is kept once; a repository has a blob when it holds a hard link to it, so
 * the file system counts the references and no crash can make the count wrong.
 * The time of last modification is the lease: collecting garbage spares what was used lately.
 */
export class BlobShelf {
  readonly #folder: StorageFolder;
  readonly #now: () => Date;

  constructor(folder: StorageFolder, now: () => Date) {
    this.#folder = folder;
    this.#now = now;
  }

  /** @returns `undefined` when the repository does not have it */
  async open(repository: string, digest: Digest): Promise<OpenedBlob | undefined> {
    const file = await openIfAny(this.#folder.blobLink(repository, digest));
    if (file === undefined) return undefined;
    const { size, mtimeMs } = await file.stat();
    await this.#renewLease(file, mtimeMs);
    return { file, size };
  }

  /** The size in bytes, and a promise to keep the blob for a while. `undefined` when the repository does not have it. */
  async lease(repository: string, digest: Digest): Promise<number | undefined> {
    const blob = await this.open(repository, digest);
    await blob?.file.close();
    return blob?.size;
  }

  /** Moves a complete, verified and synced file in. */
  async add(repository: string, digest: Digest, draft: string): Promise<void> {
    const content = this.#folder.content(digest);
    await chmod(draft, 0o444);
    await this.#replaceDamaged(content, draft);
    const shared = await linkFile(draft, content);
    if (shared === "refused") await this.#moveIn(draft, content);
    // The content may have been collected since: then the draft itself becomes what the repository has.
    if (!(await this.#linkOrCopy(content, this.#folder.blobLink(repository, digest)))) {
      await this.#linkOrCopy(draft, this.#folder.blobLink(repository, digest));
    }
    await rm(draft, { force: true });
  }

  /**
   * Lets `repository` have a blob that another one has.
   *
   * @param from Absent: any repository will do.
   * @returns whether it has it now
   */
  async mount(repository: string, digest: Digest, from: string | undefined): Promise<boolean> {
    const target = this.#folder.blobLink(repository, digest);
    if (from === undefined) return this.#mountAny(digest, target);
    if ((await this.lease(from, digest)) === undefined) return false;
    return this.#linkOrCopy(this.#folder.blobLink(from, digest), target);
  }

  /** @returns `false` when the repository did not have it */
  async remove(repository: string, digest: Digest): Promise<boolean> {
    return removeFile(this.#folder.blobLink(repository, digest));
  }

  async #mountAny(digest: Digest, target: string): Promise<boolean> {
    const content = this.#folder.content(digest);
    const file = await openIfAny(content);
    if (file === undefined) return false;
    const { nlink, mtimeMs } = await file.stat();
    // One link means that every repository has deleted it: it must not come back by its digest alone.
    if (nlink > 1) await this.#renewLease(file, mtimeMs);
    await file.close();
    return nlink > 1 && this.#linkOrCopy(content, target);
  }

  async #renewLease(file: FileHandle, mtimeMs: number): Promise<void> {
    const now = this.#now();
    if (now.getTime() - mtimeMs < LEASE_STEP) return;
    try {
      await file.utimes(now, now);
    } catch (error) {
      if (!isSystemError(error, "EPERM", "EACCES", "EROFS")) throw error;
    }
  }

  async #linkOrCopy(from: string, to: string): Promise<boolean> {
    const result = await linkFile(from, to);
    if (result !== "refused") return result === "linked";
    const copy = join(this.#folder.temporary, randomUUID());
    await copyFile(from, copy, constants.COPYFILE_FICLONE);
    await syncFile(copy);
    await this.#moveIn(copy, to);
    return true;
  }

  async #moveIn(draft: string, to: string): Promise<void> {
    await makeDurableFolder(dirname(to));
    await rename(draft, to);
    await syncFolder(dirname(to));
  }

  /** A file cut short by a failing disk is healed by the next push. */
  async #replaceDamaged(content: string, draft: string): Promise<void> {
    const there = await sizeOf(content);
    if (there !== undefined && there !== (await sizeOf(draft))) await removeFile(content);
  }
}

async function openIfAny(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
