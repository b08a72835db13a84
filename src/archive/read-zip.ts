// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { crc32 } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { normalizeMemberPath } from "./entry-path.ts";
import { collisionKey } from "./path-policy.ts";
import { limitExceeded, READ_LIMITS, type ReadLimits } from "./read-limits.ts";

/** One member of a zip archive that is being read. */
export interface ZipMember {
  /** Relative and normalised. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  /** Permission bits; `0o644`, or `0o755` for directories, when the archive was not made on Unix. */
  readonly mode: number;
  /** Uncompressed bytes of `content`. */
  readonly size: number;
  /** A symlink's content is its text. To be read, if at all, before the next member is asked for. */
  readonly content: LentBytes;
}

/** Optional parts of {@link readZip}. */
export interface ReadZipOptions {
  readonly limits?: ReadLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the zip archive at `path`, as its central directory lists it. Sizes and checksums are checked on the way.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID` also for encryption and for names that come twice, `ARCHIVE_UNSAFE`,
 * `ARCHIVE_LIMIT_EXCEEDED`, `FILE_NOT_FOUND`
 */
export async function* readZip(
  path: string,
  { limits, signal }: ReadZipOptions = {},
): AsyncGenerator<ZipMember, void, undefined> {
  const bounds = { ...READ_LIMITS, ...limits };
  const zip = await openZip(path);
  const seen = new Set<string>();
  let size = 0;
  try {
    if (zip.entryCount > bounds.entries)
      throw limitExceeded(`zip archive has more than ${bounds.entries} members`);
    for (let entry = await nextEntry(zip); entry !== undefined; entry = await nextEntry(zip)) {
      signal?.throwIfAborted();
      const member = toMember(zip, entry, bounds, signal);
      size += member.size;
      if (size > bounds.size) throw limitExceeded(`zip archive is larger than ${bounds.size} bytes`);
      if (member.path === "") continue;
      if (seen.has(collisionKey(member.path))) throw invalidZip(`has the name "${member.path}" twice`);
      seen.add(collisionKey(member.path));
      yield member;
    }
  } finally {
    zip.close();
  }
}

async function openZip(path: string): Promise<ZipFile> {
  const { openPromise } = await import("yauzl");
  try {
    return await openPromise(path, {
      lazyEntries: true,
      autoClose: false,
      strictFileNames: true,
      decodeStrings: true,
    });
  } catch (error) {
    if (isSystemError(error, "ENOENT")) {
      throw new ToolingError("FILE_NOT_FOUND", `"${path}" is not there`, { cause: error });
    }
    throw isSystemError(error) ? error : invalidZip(`is damaged: ${(error as Error).message}`, error);
  }
}

async function nextEntry(zip: ZipFile): Promise<Entry | undefined> {
  const over = new AbortController();
  const ended = once(zip, "end", { signal: over.signal }).then(() => undefined);
  const arrived = once(zip, "entry", { signal: over.signal }).then(([entry]) => entry as Entry);
  zip.readEntry();
  try {
    return await Promise.race([arrived, ended]);
  } catch (error) {
    const { message } = error as Error;
    if (/absolute path|relative path|invalid characters/.test(message)) {
      throw new ToolingError("ARCHIVE_UNSAFE", `zip archive has a bad name: ${message}`, { cause: error });
    }
    throw invalidZip(`is damaged: ${message}`, error);
  } finally {
    over.abort();
    arrived.catch(() => undefined);
    ended.catch(() => undefined);
  }
}

function toMember(
  zip: ZipFile,
  entry: Entry,
  { ratio, pathLength }: Required<ReadLimits>,
  signal: AbortSignal | undefined,
): ZipMember {
  const { fileName, uncompressedSize: size, compressedSize } = entry;
  if (entry.isEncrypted()) throw invalidZip(`has the encrypted member "${fileName}"`);
  if (Buffer.byteLength(fileName) > pathLength)
    throw limitExceeded("zip archive has a path that is too long");
  if (size > RATIO_FROM && size > compressedSize * ratio) {
    throw limitExceeded(`zip archive has "${fileName}", which grows more than ${ratio} times`);
  }
  const path = normalizeMemberPath(fileName);
  const unixMode = entry.versionMadeBy >>> 8 === UNIX ? entry.externalFileAttributes >>> 16 : 0;
  const type = typeOf(fileName, unixMode);
  const mode = unixMode === 0 ? (type === "directory" ? 0o755 : 0o644) : unixMode & 0o7777;
  return { path, type, mode, size, content: openEntry(zip, entry, signal) };
}

const UNIX = 3;
const RATIO_FROM = 64 * 1024 * 1024;

function typeOf(fileName: string, unixMode: number): ZipMember["type"] {
  if (fileName.endsWith("/")) return "directory";
  const kind = unixMode & 0o170000;
  if (kind === 0o120000) return "symlink";
  if (kind === 0 || kind === 0o100000) return "file";
  throw new ToolingError(
    "ARCHIVE_UNSAFE",
    `zip archive has "${fileName}", which is neither a file nor a link`,
  );
}

async function* openEntry(zip: ZipFile, entry: Entry, signal: AbortSignal | undefined): LendingGenerator {
  try {
    const stream = await zip.openReadStreamPromise(entry);
    let checksum = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    if (checksum !== entry.crc32) throw new Error("wrong checksum");
  } catch (error) {
    signal?.throwIfAborted();
    throw invalidZip(`has the damaged member "${entry.fileName}": ${(error as Error).message}`, error);
  }
}

function invalidZip(what: string, cause?: unknown): ToolingError {
  return new ToolingError("ARCHIVE_INVALID", `zip archive ${what}`, {
    hint: "Download the archive again; if it stays the same, tell whoever made it.",
    cause,
  });
}
