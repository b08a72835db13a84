// SPDX-License-Identifier: Apache-2.0
import { BufferPool } from "../core/buffer-pool.ts";
import type { LendingGenerator } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { GatheredBytes } from "../core/gathered-bytes.ts";
import type { ArchiveEntry, FileEntry } from "./archive-entry.ts";
import { isEntryPath } from "./entry-path.ts";
import { formatPaxRecords } from "./pax.ts";
import { formatTarHeader, LARGEST_OWNER, LARGEST_SIZE, splitUstarPath, TAR_BLOCK } from "./tar-header.ts";

/** Optional parts of {@link writeTar}. */
export interface WriteTarOptions {
  /** Modification time of every entry, in whole seconds since 1970. Absent: 0. */
  readonly mtime?: number;
}

/** Headers, small files and padding go out together; content beyond a quarter of this goes out as it comes. */
const pool = new BufferPool(256 * 1024);
const LARGE = pool.size / 4;

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
): LendingGenerator {
  const gathered = new GatheredBytes(pool);
  let last = "";
  try {
    for await (const entry of entries) {
      checkOrder(last, entry.path);
      last = entry.path;
      const header = formatEntryHeader(entry, mtime);
      if (!gathered.hasRoomFor(header.byteLength)) yield gathered.takeAll();
      if (gathered.hasRoomFor(header.byteLength)) gathered.add(header);
      else yield header;
      if (entry.type === "file") yield* writeContent(entry, gathered);
    }
    if (!gathered.hasRoomFor(2 * TAR_BLOCK)) yield gathered.takeAll();
    gathered.addZeros(2 * TAR_BLOCK);
    yield gathered.takeAll();
  } finally {
    gathered.close();
  }
}

function checkOrder(last: string, path: string): void {
  if (!isEntryPath(path))
    throw new ToolingError("ARCHIVE_UNSAFE", `"${path}" is not a path inside an archive`);
  if (path === last) throw new ToolingError("PATH_CONFLICT", `"${path}" is written twice`);
  if (path < last) throw new Error(`"${path}" comes after "${last}": sort the entries before writing them`);
}

async function* writeContent({ path, size, open }: FileEntry, gathered: GatheredBytes): LendingGenerator {
  // A large file's content does not wait for others, nor does what stands before it.
  if (size > LARGE && !gathered.isEmpty) yield gathered.takeAll();
  let written = 0;
  for await (const chunk of open()) {
    written += chunk.byteLength;
    if (written > size) throw sizeMismatch(path, size, `more than ${size}`);
    if (!gathered.isEmpty && (chunk.byteLength > LARGE || !gathered.hasRoomFor(chunk.byteLength)))
      yield gathered.takeAll();
    if (chunk.byteLength > LARGE) yield chunk;
    else gathered.add(chunk);
  }
  if (written < size) throw sizeMismatch(path, size, `only ${written}`);
  const padding = (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
  if (!gathered.hasRoomFor(padding)) yield gathered.takeAll();
  gathered.addZeros(padding);
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
