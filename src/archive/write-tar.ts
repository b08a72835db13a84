// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import type { ArchiveEntry, FileEntry } from "./archive-entry.ts";
import { isEntryPath } from "./entry-path.ts";
import { formatPaxRecords } from "./pax.ts";
import { formatTarHeader, LARGEST_OWNER, LARGEST_SIZE, splitUstarPath, TAR_BLOCK } from "./tar-header.ts";

/** Optional parts of {@link writeTar}. */
export interface WriteTarOptions {
  /** Modification time of every entry, in whole seconds since 1970. Absent: 0. */
  readonly mtime?: number;
}

/**
 * A tar archive whose bytes depend on the entries and `mtime` alone: ustar, with an extended header only where ustar
 * cannot hold a value, and two zero blocks at the end. The entries must come as {@link sortEntries} orders them.
 *
 * @throws {ToolingError} `ARCHIVE_UNSAFE` for a path that leaves the archive, `PATH_CONFLICT` for a path that comes
 * twice, `SIZE_MISMATCH` when a file's content is not as long as the entry says.
 */
export async function* writeTar(
  entries: Iterable<ArchiveEntry> | AsyncIterable<ArchiveEntry>,
  { mtime = 0 }: WriteTarOptions = {},
): ByteStream & AsyncGenerator<Uint8Array> {
  let last = "";
  for await (const entry of entries) {
    checkOrder(last, entry.path);
    last = entry.path;
    yield formatEntryHeader(entry, mtime);
    if (entry.type === "file") yield* writeContent(entry);
  }
  yield new Uint8Array(2 * TAR_BLOCK);
}

function checkOrder(last: string, path: string): void {
  if (!isEntryPath(path))
    throw new ToolingError("ARCHIVE_UNSAFE", `"${path}" is not a path inside an archive`);
  if (path === last) throw new ToolingError("PATH_CONFLICT", `"${path}" is written twice`);
  if (path < last) throw new Error(`"${path}" comes after "${last}": sort the entries before writing them`);
}

async function* writeContent({ path, size, open }: FileEntry): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of open()) {
    written += chunk.byteLength;
    if (written > size) throw sizeMismatch(path, size, `more than ${size}`);
    if (chunk.byteLength > 0) yield chunk;
  }
  if (written < size) throw sizeMismatch(path, size, `only ${written}`);
  const padding = (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
  if (padding > 0) yield new Uint8Array(padding);
}

function sizeMismatch(path: string, size: number, got: string): ToolingError {
  return new ToolingError("SIZE_MISMATCH", `"${path}" should have ${size} bytes but has ${got}`, {
    hint: "Run the command again; the file changed while it was read.",
  });
}

const TYPEFLAGS = { file: "0", hardlink: "1", symlink: "2", directory: "5" } as const;

function formatEntryHeader(entry: ArchiveEntry, mtime: number): Uint8Array {
  const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const target = "target" in entry ? entry.target : "";
  const numbers = { uid: entry.uid, gid: entry.gid, size: entry.type === "file" ? entry.size : 0 };
  const split = splitUstarPath(path);
  const records = { ...recordsOfTexts(path, target), ...recordsOfNumbers(numbers) };
  const header = formatTarHeader({
    ...(split ?? { prefix: "", name: toAscii(path) }),
    mode: entry.mode & 0o7777,
    uid: "uid" in records ? 0 : numbers.uid,
    gid: "gid" in records ? 0 : numbers.gid,
    size: "size" in records ? 0 : numbers.size,
    mtime,
    typeflag: TYPEFLAGS[entry.type],
    target: toAscii(target),
  });
  if (Object.keys(records).length === 0) return header;
  return Buffer.concat([formatExtendedHeader(records, path, mtime), header]);
}

function recordsOfTexts(path: string, target: string): Record<string, string> {
  const targetFits = splitUstarPath(target)?.prefix === "";
  return { ...(!targetFits && { linkpath: target }), ...(splitUstarPath(path) === undefined && { path }) };
}

function recordsOfNumbers(numbers: { uid: number; gid: number; size: number }): Record<string, string> {
  const limits = { uid: LARGEST_OWNER, gid: LARGEST_OWNER, size: LARGEST_SIZE };
  const keys = (["uid", "gid", "size"] as const).filter((key) => numbers[key] > limits[key]);
  return Object.fromEntries(keys.map((key) => [key, String(numbers[key])]));
}

function formatExtendedHeader(
  records: Readonly<Record<string, string>>,
  path: string,
  mtime: number,
): Uint8Array {
  const body = formatPaxRecords(records);
  const header = formatTarHeader({
    prefix: "",
    name: toAscii(`PaxHeaders.0/${path.replace(/\/$/, "").split("/").at(-1)}`),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.byteLength,
    mtime,
    typeflag: "x",
    target: "",
  });
  const padding = new Uint8Array((TAR_BLOCK - (body.byteLength % TAR_BLOCK)) % TAR_BLOCK);
  return Buffer.concat([header, body, padding]);
}

/** What a reader without extended headers shows. */
function toAscii(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[^\x01-\x7f]/g, "_").slice(0, 100);
}
