// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError, ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import { blobPathIn, ingestFolderOf } from "./blob-file.ts";
import { listBlobFiles } from "./blob-folder.ts";
import type { Digest } from "./digest.ts";
import { readLayoutIndex, withLayoutLock } from "./layout-index.ts";
import { markContent, readStoredManifest, referencesOf } from "./marked-content.ts";
import type { ParsedManifest } from "./parse-manifest.ts";

/** Optional parts of {@link removeUnreferenced}. */
export interface RemoveUnreferencedOptions extends OperationOptions {
  /** Content younger than this, in milliseconds, stays: a build or pull may be about to name it. Absent: one hour. */
  readonly grace?: number;
  /** Only tell what would go. Absent: false. */
  readonly dryRun?: boolean;
}

/** What a clean-up has removed, or would. */
export interface RemovalReport {
  readonly removed: readonly { readonly digest: Digest; readonly size: number }[];
  /** Bytes. */
  readonly freed: number;
}

/**
 * Removes blobs that no root reaches. Works under the index lock, so nothing is named meanwhile. Writing a blob or
 * asking for it renews its time; such leased content stays, and so does all that a leased manifest points at.
 *
 * @throws {ToolingError} `STORE_CORRUPT` when a manifest cannot be read: what it needs is then not known
 */
export async function removeUnreferenced(
  folder: string,
  now: Date,
  { grace = 3_600_000, dryRun = false, signal }: RemoveUnreferencedOptions = {},
): Promise<RemovalReport> {
  const oldest = now.getTime() - grace;
  return await withLayoutLock(folder, { signal }, async () => {
    const candidates = await findUnreferenced(folder, oldest);
    const removed: { digest: Digest; size: number }[] = [];
    for (const { digest, size } of candidates) {
      signal?.throwIfAborted();
      if (dryRun || (await removeBlob(folder, digest, oldest))) removed.push({ digest, size });
    }
    if (!dryRun) await removeAbandoned(folder, oldest);
    return { removed, freed: removed.reduce((sum, { size }) => sum + size, 0) };
  });
}

interface Candidate {
  readonly digest: Digest;
  readonly size: number;
  readonly isLeased: boolean;
  readonly parsed: ParsedManifest | undefined;
}

/** Manifests come first: whatever stops us, no manifest stays whose layers are gone. */
async function findUnreferenced(folder: string, oldest: number): Promise<readonly Candidate[]> {
  const marked = await markContent(folder, (await readLayoutIndex(folder)).manifests);
  const candidates: Candidate[] = [];
  for (const { digest, path } of await listBlobFiles(folder)) {
    if (digest === undefined || marked.has(digest)) continue;
    const { size, mtimeMs } = await stat(path);
    candidates.push({
      digest,
      size,
      isLeased: mtimeMs > oldest,
      parsed: await readIfManifest(folder, digest),
    });
  }
  const leased = candidates.flatMap(({ isLeased, parsed }) =>
    isLeased && parsed ? referencesOf(parsed) : [],
  );
  await markContent(folder, leased, marked);
  const old = candidates.filter(({ digest, isLeased }) => !isLeased && !marked.has(digest));
  return [...old.filter(({ parsed }) => parsed), ...old.filter(({ parsed }) => !parsed)];
}

async function readIfManifest(folder: string, digest: Digest): Promise<ParsedManifest | undefined> {
  try {
    return await readStoredManifest(folder, digest);
  } catch (error) {
    // Most blobs are no manifests, and so do not read as one.
    if (error instanceof ToolingError && error.code === "STORE_CORRUPT") return undefined;
    throw error;
  }
}

/** Takes the blob out of sight, looks whether somebody leased it until then, and only then removes it. */
async function removeBlob(folder: string, digest: Digest, oldest: number): Promise<boolean> {
  const path = blobPathIn(folder, digest);
  const trash = join(ingestFolderOf(folder), `gc-${randomUUID()}`);
  await mkdir(ingestFolderOf(folder), { recursive: true, mode: 0o755 });
  try {
    await rename(path, trash);
    if ((await stat(trash)).mtimeMs > oldest) {
      await rename(trash, path);
      return false;
    }
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
  await rm(trash, { force: true });
  return true;
}

/** Temporary files that a crash left behind. */
async function removeAbandoned(folder: string, oldest: number): Promise<void> {
  const ingest = ingestFolderOf(folder);
  const names = await readdir(ingest).catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  });
  for (const name of names) {
    try {
      if ((await stat(join(ingest, name))).mtimeMs <= oldest) await rm(join(ingest, name), { force: true });
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
    }
  }
}
