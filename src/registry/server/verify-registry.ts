// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { algorithmOf, createDigester, type Digest, isDigest, type StoreProblem } from "../../oci/index.ts";
import { type ManifestOutline, outlineManifest } from "./manifest-outline.ts";
import { RegistryFault } from "./registry-fault.ts";
import { isThere, listFolder } from "./storage/durable-file.ts";
import { ManifestShelf } from "./storage/manifest-shelf.ts";
import { StorageFolder } from "./storage/storage-folder.ts";
import { TagShelf } from "./storage/tag-shelf.ts";

/** Optional parts of {@link verifyRegistryFolder}. */
export interface VerifyRegistryFolderOptions extends OperationOptions {
  /** Whether to read and hash every blob. Absent: only presence is looked at; manifests are always read. */
  readonly deep?: boolean;
}

/** What a look over a registry's folder has found. It is sound when there are no problems. */
export interface RegistryFolderReport {
  readonly problems: readonly StoreProblem[];
  /** Blobs and manifests that were looked at. */
  readonly checked: number;
}

/** Whether a folder is one that the embedded registry made. */
export async function isRegistryFolder(folder: string): Promise<boolean> {
  return isThere(new StorageFolder(folder).versionFile);
}

/**
 * Checks that every manifest, all it needs, every tag and, with `deep`, every blob in the folder of an embedded registry
 * is what it should be. Changes nothing. Ask while no server runs, or deletes that are under way look like losses.
 */
export async function verifyRegistryFolder(
  root: string,
  { deep = false, signal, onProgress }: VerifyRegistryFolderOptions = {},
): Promise<RegistryFolderReport> {
  const folder = new StorageFolder(root);
  const problems: StoreProblem[] = [];
  let checked = 0;
  for await (const { path, name } of listContent(folder)) {
    signal?.throwIfAborted();
    const problem = await verifyContent(folder, { path, name }, { deep, signal });
    if (problem !== undefined) problems.push(problem);
    checked += 1;
    onProgress?.({ type: "finished", what: name, skipped: false });
  }
  for await (const repository of listRepositories(folder, "")) {
    signal?.throwIfAborted();
    const report = await verifyRepository(folder, repository, { deep, signal });
    problems.push(...report.problems);
    checked += report.checked;
  }
  return { problems, checked };
}

async function verifyContent(
  folder: StorageFolder,
  { path, name }: { readonly path: string; readonly name: string },
  { deep = false, signal }: VerifyRegistryFolderOptions,
): Promise<StoreProblem | undefined> {
  if (!isDigest(name) || folder.content(name) !== path) return { kind: "stray", path };
  if (!deep || (await isIntact(path, name, signal))) return undefined;
  return { kind: "altered", path, digest: name };
}

async function verifyRepository(
  folder: StorageFolder,
  repository: string,
  options: VerifyRegistryFolderOptions,
): Promise<RegistryFolderReport> {
  const shelf = new ManifestShelf(folder);
  const tags = new TagShelf(folder);
  const problems: StoreProblem[] = [];
  const digests = await shelf.list(repository);
  for (const digest of digests) {
    const path = folder.manifest(repository, digest);
    const stored = await shelf.read(repository, digest);
    const outline = stored === undefined ? undefined : outlineOf(stored.bytes, stored.mediaType);
    if (outline === undefined) problems.push({ kind: "altered", path, digest });
    else problems.push(...(await verifyNeeds(folder, repository, outline, options)));
  }
  for (const tag of await tags.list(repository)) {
    const digest = await tags.resolve(repository, tag);
    if (digest !== undefined && digests.includes(digest)) continue;
    const path = join(folder.tags(repository), tag);
    problems.push(digest === undefined ? { kind: "unreadable", path } : { kind: "missing", path, digest });
  }
  return { problems, checked: digests.length };
}

/** Children of an index may have been deleted on purpose; blobs that a manifest needs may not be gone. */
async function verifyNeeds(
  folder: StorageFolder,
  repository: string,
  { blobs }: ManifestOutline,
  { deep = false, signal }: VerifyRegistryFolderOptions,
): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  for (const digest of blobs) {
    const path = folder.blobLink(repository, digest);
    if (!(await isThere(path))) problems.push({ kind: "missing", path, digest });
    // Where the file system has no hard links this is a file of its own.
    else if (deep && (await stat(path)).nlink === 1 && !(await isIntact(path, digest, signal))) {
      problems.push({ kind: "altered", path, digest });
    }
  }
  return problems;
}

function outlineOf(bytes: Uint8Array, mediaType: string): ManifestOutline | undefined {
  try {
    return outlineManifest(bytes, mediaType);
  } catch (error) {
    if (error instanceof RegistryFault) return undefined;
    throw error;
  }
}

async function isIntact(path: string, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
  const digester = createDigester(algorithmOf(digest));
  try {
    const content = createReadStream(path, { highWaterMark: 1024 * 1024, signal });
    for await (const chunk of content as AsyncIterable<Buffer>) digester.update(chunk);
  } catch (error) {
    // Collected by a server meanwhile.
    if (isSystemError(error, "ENOENT")) return true;
    throw error;
  }
  return digester.digest() === digest;
}

async function* listContent(folder: StorageFolder): AsyncGenerator<{ path: string; name: string }> {
  for (const algorithm of await listFolder(folder.blobs)) {
    for (const prefix of await listFolder(join(folder.blobs, algorithm))) {
      for (const encoded of (await listFolder(join(folder.blobs, algorithm, prefix))).toSorted()) {
        yield { path: join(folder.blobs, algorithm, prefix, encoded), name: `${algorithm}:${encoded}` };
      }
    }
  }
}

async function* listRepositories(folder: StorageFolder, parent: string): AsyncGenerator<string> {
  const path = parent === "" ? folder.repositories : folder.repository(parent);
  for (const name of (await listFolder(path)).toSorted()) {
    if (name.startsWith("_")) continue;
    const repository = parent === "" ? name : `${parent}/${name}`;
    if (!(await stat(folder.repository(repository))).isDirectory()) continue;
    if (await isThere(join(folder.repository(repository), "_manifests"))) yield repository;
    yield* listRepositories(folder, repository);
  }
}
