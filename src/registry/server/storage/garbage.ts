// SPDX-License-Identifier: Apache-2.0
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../../../core/error.ts";
import type { OperationOptions } from "../../../core/operation.ts";
import { type Digest, type DigestAlgorithm, isDigest } from "../../../oci/index.ts";
import { outlineManifest } from "../manifest-outline.ts";
import { listFolder, removeFile } from "./durable-file.ts";
import type { RegistryStorage } from "./registry-storage.ts";

/** How garbage is collected. */
export interface CollectGarbageOptions extends OperationOptions {
  /** Milliseconds that unreferenced content is kept after its last use: time for a push to be finished. */
  readonly grace: number;
  /** Only counts. */
  readonly dryRun?: boolean;
}

/** What was collected. */
export interface GarbageReport {
  /** Blobs that a repository had and no manifest of it names. */
  readonly unlinked: number;
  /** Blobs removed from the disk, because no repository has them. */
  readonly removed: number;
  /** Bytes of these. */
  readonly freed: number;
}

/**
 * Removes what no manifest needs. Safe while pushes run: each use of a blob renews its lease, a manifest of the same
 * repository waits, and content is removed only when the file system counts no other link to it.
 */
export async function collectGarbage(
  storage: RegistryStorage,
  options: CollectGarbageOptions,
): Promise<GarbageReport> {
  let unlinked = 0;
  for await (const repository of storage.listRepositories()) {
    options.signal?.throwIfAborted();
    unlinked += await storage.alone(repository, async () => unlinkUnused(storage, repository, options));
  }
  const { removed, freed } = await removeUnlinked(storage, options);
  return { unlinked, removed, freed };
}

async function unlinkUnused(
  storage: RegistryStorage,
  repository: string,
  { grace, dryRun = false }: CollectGarbageOptions,
): Promise<number> {
  const used = await listUsedBlobs(storage, repository);
  let unlinked = 0;
  for await (const { digest, path } of listDigestFiles(
    join(storage.folder.repository(repository), "_blobs"),
  )) {
    if (used.has(digest) || !(await isOlder(path, storage.now().getTime() - grace))) continue;
    if (!dryRun) await removeFile(path);
    unlinked += 1;
  }
  return unlinked;
}

async function listUsedBlobs(storage: RegistryStorage, repository: string): Promise<Set<Digest>> {
  const used = new Set<Digest>();
  for (const digest of await storage.manifests.list(repository)) {
    const stored = await storage.manifests.read(repository, digest);
    if (stored === undefined) continue;
    const { blobs, manifests } = outlineManifest(stored.bytes, stored.mediaType);
    for (const name of [...blobs, ...manifests]) used.add(name);
  }
  return used;
}

async function removeUnlinked(
  storage: RegistryStorage,
  { grace, dryRun = false, signal }: CollectGarbageOptions,
): Promise<{ removed: number; freed: number }> {
  let removed = 0;
  let freed = 0;
  for await (const path of listContent(storage.folder.blobs)) {
    signal?.throwIfAborted();
    const status = await statIfAny(path);
    if (status === undefined || status.nlink > 1) continue;
    if (status.mtimeMs > storage.now().getTime() - grace) continue;
    if (!dryRun) await removeFile(path);
    removed += 1;
    freed += status.size;
  }
  return { removed, freed };
}

async function* listContent(folder: string): AsyncGenerator<string> {
  for (const algorithm of await listFolder(folder)) {
    for (const prefix of await listFolder(join(folder, algorithm))) {
      for (const name of await listFolder(join(folder, algorithm, prefix))) {
        yield join(folder, algorithm, prefix, name);
      }
    }
  }
}

const ALGORITHMS: readonly DigestAlgorithm[] = ["sha256", "sha512"];

async function* listDigestFiles(folder: string): AsyncGenerator<{ digest: Digest; path: string }> {
  for (const algorithm of ALGORITHMS) {
    for (const name of await listFolder(join(folder, algorithm))) {
      const digest = `${algorithm}:${name}`;
      if (isDigest(digest)) yield { digest, path: join(folder, algorithm, name) };
    }
  }
}

async function isOlder(path: string, time: number): Promise<boolean> {
  const status = await statIfAny(path);
  return status !== undefined && status.mtimeMs <= time;
}

async function statIfAny(
  path: string,
): Promise<{ nlink: number; size: number; mtimeMs: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
