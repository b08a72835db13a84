// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { chmod, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../core/make-folder.ts";
import { describeWriteFailure, syncFolder, writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError } from "../core/error.ts";
import { withFileLock } from "../core/file-lock.ts";
import type { HttpDispatcher } from "../core/http-message.ts";
import type { OperationOptions } from "../core/operation.ts";
import { type Download, downloadInto } from "./download.ts";
import { otherDigest } from "./download-failure.ts";
import { digestOfFile } from "./file-digest.ts";
import type { FetchedFile, FetchFile, FileRequest } from "./fetch-file.ts";

/** What {@link createFetcher} needs. */
export interface FetcherOptions {
  /** The product's cache folder, absolute; files go below `files/`. */
  readonly cacheDir: string;
  /** Carries proxy and CA settings. */
  readonly dispatcher: HttpDispatcher;
  readonly now: () => Date;
  /** A number in [0, 1), for jitter. Absent: `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Milliseconds without a byte after which a try ends. Absent: 60 000. */
  readonly idleTimeout?: number | undefined;
  /** Longest wait between two tries in milliseconds. Absent: a minute. */
  readonly longestDelay?: number | undefined;
}

/** Another process may download something large: wait for it rather than fail. */
const LOCK_TIMEOUT = 60 * 60_000;

/**
 * Makes the one way into the network for files: resumable, verified while streaming, one download per file at a
 * time in this process and between processes, found in the cache by content afterwards.
 */
export function createFetcher(options: FetcherOptions): FetchFile {
  const flights = new Map<string, Promise<unknown>>();
  return async (request, operation = {}) => {
    const key =
      request.sha256 ??
      createHash("sha256")
        .update(keyOf(request) ?? request.url)
        .digest("hex");
    while (flights.has(key)) {
      await Promise.allSettled([flights.get(key)]);
      operation.signal?.throwIfAborted();
    }
    const flight = fetchOnce(key, request, options, operation);
    flights.set(key, flight);
    try {
      return await flight;
    } finally {
      flights.delete(key);
    }
  };
}

/** What a file without a sha256 is found again by. */
function keyOf({ integrity, cacheKey }: FileRequest): string | undefined {
  return integrity ?? cacheKey;
}

async function fetchOnce(
  key: string,
  request: FileRequest,
  options: FetcherOptions,
  operation: OperationOptions,
): Promise<FetchedFile> {
  const known = await findFile(request, key, options.cacheDir);
  if (known !== undefined) {
    operation.onProgress?.({ type: "finished", what: request.name, skipped: true });
    return known;
  }
  const lock = join(options.cacheDir, "files", "partial", `${key}.lock`);
  try {
    return await withFileLock(lock, { timeout: LOCK_TIMEOUT, signal: operation.signal }, async () => {
      const arrived = await findFile(request, key, options.cacheDir);
      if (arrived !== undefined) return arrived;
      const url = (await request.locate?.()) ?? request.url;
      return await downloadAndPublish(key, { ...request, url }, options, operation);
    });
  } catch (error) {
    throw describeWriteFailure(error, join(options.cacheDir, "files"));
  }
}

async function downloadAndPublish(
  key: string,
  request: FileRequest,
  options: FetcherOptions,
  operation: OperationOptions,
): Promise<FetchedFile> {
  const partial = join(options.cacheDir, "files", "partial", key);
  // Without a digest nothing tells whether an old part belongs to what the address gives today.
  if (request.sha256 === undefined && request.integrity === undefined) await rm(partial, { force: true });
  try {
    let download = await downloadPart(partial, request, options, operation);
    if (isWrong(download, request)) {
      await rm(partial, { force: true });
      download = await downloadPart(partial, request, options, operation);
    }
    if (isWrong(download, request)) {
      await rm(partial, { force: true });
      throw otherDigest(request, download);
    }
    const path = await publish(partial, download.sha256, options.cacheDir);
    if (request.sha256 === undefined && keyOf(request) !== undefined) {
      await writeFileAtomically(keyPath(options.cacheDir, key), download.sha256);
    }
    operation.onProgress?.({ type: "finished", what: request.name, skipped: false });
    return { path, sha256: download.sha256, size: download.size, cached: false };
  } catch (error) {
    // A full disk is better left with room than with half a file.
    if (isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG")) await rm(partial, { force: true });
    throw error;
  }
}

function isWrong(download: Download, request: FileRequest): boolean {
  return (
    (request.sha256 !== undefined && download.sha256 !== request.sha256) ||
    (request.integrity !== undefined && download.integrity !== request.integrity)
  );
}

async function downloadPart(
  partial: string,
  request: FileRequest,
  options: FetcherOptions,
  { signal, onProgress }: OperationOptions,
): Promise<Download> {
  let announced = false;
  return await downloadInto(partial, request, {
    dispatcher: options.dispatcher,
    idleTimeout: options.idleTimeout ?? 60_000,
    longestDelay: options.longestDelay ?? 60_000,
    now: options.now,
    random: options.random ?? Math.random,
    signal,
    onTotal: (total) => {
      if (!announced) onProgress?.({ type: "started", what: request.name, total });
      announced = true;
    },
    onBytes: (done) => onProgress?.({ type: "advanced", what: request.name, done }),
    onNote: (note) => onProgress?.({ type: "noted", what: request.name, note }),
  });
}

async function publish(partial: string, sha256: string, cacheDir: string): Promise<string> {
  const path = contentPath(cacheDir, sha256);
  await makeFolder(dirname(path));
  await chmod(partial, 0o444);
  await rename(partial, path);
  await syncFolder(dirname(path));
  return path;
}

/** A cached file whose bytes still are what its name says; one that was damaged is removed. */
async function findFile(
  request: FileRequest,
  key: string,
  cacheDir: string,
): Promise<FetchedFile | undefined> {
  const sha256 = request.sha256 ?? (keyOf(request) === undefined ? undefined : await readKey(cacheDir, key));
  if (sha256 === undefined) return undefined;
  const path = contentPath(cacheDir, sha256);
  try {
    const { size } = await stat(path);
    if ((request.size === undefined || size === request.size) && (await digestOfFile(path)) === sha256) {
      return { path, sha256, size, cached: true };
    }
    await rm(path, { force: true });
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
  return undefined;
}

async function readKey(cacheDir: string, key: string): Promise<string | undefined> {
  try {
    const text = await readFile(keyPath(cacheDir, key), "utf8");
    return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function keyPath(cacheDir: string, key: string): string {
  return join(cacheDir, "files", "keys", key);
}

function contentPath(cacheDir: string, sha256: string): string {
  return join(cacheDir, "files", "sha256", sha256.slice(0, 2), sha256);
}
