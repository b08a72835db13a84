// SPDX-License-Identifier: Apache-2.0
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import type { OperationOptions } from "../core/operation.ts";
import { ByteReader } from "./byte-reader.ts";
import { normalizeMemberPath } from "./entry-path.ts";
import { invalidTar } from "./invalid-tar.ts";
import { parsePaxRecords } from "./pax.ts";
import { limitExceeded, READ_LIMITS, type ReadLimits } from "./read-limits.ts";
import { isZeroBlock, parseTarHeader, TAR_BLOCK, type TarHeader } from "./tar-header.ts";

/** What a member of a foreign archive is. */
export type TarMemberType =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "character-device"
  | "block-device"
  | "fifo";

/** One member of an archive that is being read. */
export interface TarMember {
  /** Relative and normalised; `""` for the root directory. */
  readonly path: string;
  readonly type: TarMemberType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, possibly with a fraction. */
  readonly mtime: number;
  /** Bytes of `content`; 0 unless it is a file. */
  readonly size: number;
  /** A symlink's text as it stands, or a hard link's normalised path. Absent for all others. */
  readonly target?: string;
  /** Extended header records that hold for this member. */
  readonly pax: Readonly<Record<string, string>>;
  /** Bytes of the archive before its headers, and before its content. */
  readonly position: { readonly headers: number; readonly content: number };
  /** To be read once, before the next member is asked for; what is left unread is skipped. */
  readonly content: LentBytes;
}

/** Optional parts of {@link readTar}. */
export interface ReadTarOptions extends Pick<OperationOptions, "signal"> {
  readonly limits?: ReadLimits | undefined;
  /**
   * Whether it is a layer of an image: it may end after any member, without padding and zero blocks, as umoci writes
   * and every engine reads it. That nothing is cut off is then the digest's business. Absent: false.
   */
  readonly layer?: boolean | undefined;
}

/**
 * Reads a tar archive (ustar, PAX, GNU long names) member by member, in constant memory. Duplicates come as they stand.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID` for truncation, wrong checksums, unknown member types and trailing garbage;
 * `ARCHIVE_UNSAFE` for paths and hard links that leave the archive; `ARCHIVE_LIMIT_EXCEEDED`.
 */
export async function* readTar(
  content: LentBytes,
  { limits, layer = false, signal }: ReadTarOptions = {},
): AsyncGenerator<TarMember, void, undefined> {
  const bounds = { ...READ_LIMITS, ...limits };
  const reader = new ByteReader(content);
  const globals: Record<string, string> = Object.create(null) as Record<string, string>;
  let entries = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const start = reader.position;
      const next = await readMemberHeader(reader, globals, { mayEnd: layer });
      if (next === undefined) break;
      entries += 1;
      if (entries > bounds.entries)
        throw limitExceeded(`tar archive has more than ${bounds.entries} members`);
      const body = new MemberContent(reader, next.header.size, signal);
      const member = toMember(next, body, { headers: start, content: reader.position });
      checkPathLength(member, bounds.pathLength);
      if (reader.position + member.size > bounds.size) {
        throw limitExceeded(`tar archive is larger than ${bounds.size} bytes`);
      }
      yield member;
      if (!body.skipNow()) await body.skip({ mayEnd: layer });
    }
    await expectEnd(reader, { mayEnd: layer });
  } finally {
    await reader.close();
  }
}

/** Whether the stream may end where a block begins. */
interface EndRule {
  readonly mayEnd: boolean;
}

interface MemberHeader {
  readonly header: TarHeader;
  readonly pax: Readonly<Record<string, string>>;
}

/** Gathers the extended headers that precede a member. `undefined` at the end of the archive. */
async function readMemberHeader(
  reader: ByteReader,
  globals: Record<string, string>,
  { mayEnd }: EndRule,
): Promise<MemberHeader | undefined> {
  let records: Record<string, string> = {};
  for (;;) {
    const block = reader.readNow(TAR_BLOCK) ?? (await readBlock(reader, { mayEnd }));
    if (block === undefined || isZeroBlock(block)) {
      if (Object.keys(records).length > 0) throw invalidTar("ends after an extended header");
      return undefined;
    }
    const header = parseTarHeader(block);
    if (!"xgLK".includes(header.typeflag)) {
      const pax = { ...globals, ...records };
      return { header: applyRecords(header, pax), pax };
    }
    const extension = await readExtension(reader, header);
    if (header.typeflag === "g") Object.assign(globals, extension);
    else records = { ...records, ...extension };
  }
}

const LARGEST_EXTENSION = 1024 * 1024;

async function readExtension(
  reader: ByteReader,
  { typeflag, size }: TarHeader,
): Promise<Record<string, string>> {
  if (size > LARGEST_EXTENSION) throw limitExceeded(`tar archive has an extended header of ${size} bytes`);
  const padded = await reader.read(paddedSize(size));
  if (padded.byteLength < paddedSize(size)) throw truncated();
  const bytes = padded.subarray(0, size);
  if (typeflag === "x" || typeflag === "g") return parsePaxRecords(bytes);
  const text = Buffer.from(bytes).toString("utf8").replace(/\0.*$/s, "");
  return typeflag === "L" ? { path: text } : { linkpath: text };
}

function applyRecords(header: TarHeader, pax: Readonly<Record<string, string>>): TarHeader {
  return {
    ...header,
    path: pax["path"] ?? header.path,
    target: pax["linkpath"] ?? header.target,
    size: parseCount(pax["size"]) ?? header.size,
    uid: parseCount(pax["uid"]) ?? header.uid,
    gid: parseCount(pax["gid"]) ?? header.gid,
    mtime: parseTime(pax["mtime"]) ?? header.mtime,
  };
}

function parseCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(count))
    throw invalidTar(`holds the malformed number "${text}"`);
  return count;
}

function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?[0-9]{1,12}(?:\.[0-9]*)?$/.test(text)) throw invalidTar(`holds the malformed time "${text}"`);
  return Number(text);
}

const TYPES: Readonly<Record<string, TarMemberType>> = {
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
  "7": "file",
};

function toMember(
  { header, pax }: MemberHeader,
  content: MemberContent,
  position: TarMember["position"],
): TarMember {
  const isOldDirectory = header.typeflag === "0" && header.path.endsWith("/");
  const type = isOldDirectory ? "directory" : TYPES[header.typeflag];
  if (type === undefined || "GNU.sparse.map" in pax || "GNU.sparse.major" in pax) {
    throw invalidTar(`holds "${header.path}", a member of a kind that is not supported`);
  }
  if (type !== "file" && header.size > 0)
    throw invalidTar(`gives content to "${header.path}", which is a ${type}`);
  const path = normalizeMemberPath(header.path);
  if (path === "" && type !== "directory") throw invalidTar("holds a member without a name");
  const { mode, uid, gid, mtime, size, target } = header;
  const member = { path, type, mode, uid, gid, mtime, size, pax, position, content };
  if (type === "symlink") return { ...member, target };
  return type === "hardlink" ? { ...member, target: normalizeMemberPath(target) } : member;
}

function checkPathLength({ path, target = "" }: TarMember, limit: number): void {
  if (Buffer.byteLength(path) > limit || Buffer.byteLength(target) > limit) {
    throw limitExceeded(`tar archive has a path of more than ${limit} bytes`);
  }
}

/** The bytes of one member and, in `skip`, the padding after them. */
class MemberContent implements AsyncIterable<Uint8Array> {
  readonly #reader: ByteReader;
  readonly #signal: AbortSignal | undefined;
  readonly #padding: number;
  #left: number;

  constructor(reader: ByteReader, size: number, signal: AbortSignal | undefined) {
    this.#reader = reader;
    this.#signal = signal;
    this.#left = size;
    this.#padding = paddedSize(size) - size;
  }

  async *[Symbol.asyncIterator](): LendingGenerator {
    while (this.#left > 0) {
      this.#signal?.throwIfAborted();
      const piece = await this.#reader.readSome(this.#left);
      if (piece === undefined) throw truncated();
      this.#left -= piece.byteLength;
      yield piece;
    }
  }

  /** As {@link skip}, if that takes no waiting; else nothing is done. */
  skipNow(): boolean {
    return this.#reader.readNow(this.#left + this.#padding) !== undefined;
  }

  async skip({ mayEnd }: EndRule): Promise<void> {
    const rest = this[Symbol.asyncIterator]();
    while ((await rest.next()).done !== true);
    const padding = await this.#reader.read(this.#padding);
    const isCut = padding.byteLength < this.#padding && !(mayEnd && padding.byteLength === 0);
    if (isCut) throw truncated();
  }
}

async function readBlock(reader: ByteReader, { mayEnd }: EndRule): Promise<Uint8Array | undefined> {
  const block = await reader.read(TAR_BLOCK);
  if (block.byteLength === TAR_BLOCK) return block;
  if (mayEnd && block.byteLength === 0) return undefined;
  throw truncated();
}

/** After the first zero block only zeros may follow: a second block, and what a blocking factor adds. */
async function expectEnd(reader: ByteReader, rule: EndRule): Promise<void> {
  await readBlock(reader, rule);
  for (;;) {
    const piece = await reader.readSome(64 * 1024);
    if (piece === undefined) return;
    if (!isZeroBlock(piece)) throw invalidTar("goes on after its end");
  }
}

function paddedSize(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

function truncated(): Error {
  return invalidTar("is cut short");
}
