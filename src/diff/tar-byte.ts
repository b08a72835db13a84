// SPDX-License-Identifier: Apache-2.0
import { readTar, type TarMember } from "../archive/index.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import type { OperationOptions } from "../core/operation.ts";
import { type ByteDifference, findFirstDifference } from "./first-difference.ts";

/** Where two tars part. */
export interface TarByte extends ByteDifference {
  /** What stands there in the first tar. */
  readonly part: "header" | "content" | "padding" | "end";
  /** The member that it belongs to. Absent at the end of the archive. */
  readonly path?: string | undefined;
  /** The field of a plain header, in the words of POSIX: `uname`. Absent elsewhere, and in extended headers. */
  readonly field?: string | undefined;
}

/**
 * Finds the first byte in which two tars differ, and says what it is. Absent: they are the same.
 *
 * @throws {ToolingError} as readTar
 */
export async function findTarByte(
  openFrom: () => LentBytes,
  openTo: () => LentBytes,
  { signal }: Pick<OperationOptions, "signal">,
): Promise<TarByte | undefined> {
  const difference = await findFirstDifference(openFrom(), openTo());
  if (difference === undefined) return undefined;
  let at: TarMember | undefined;
  for await (const member of readTar(openFrom(), { layer: true, signal })) {
    if (member.position.headers > difference.offset) break;
    at = member;
  }
  const block = at === undefined ? undefined : headerBlockAt(at, difference.offset);
  if (at === undefined || block === undefined) return { ...difference, ...placeIn(at, difference.offset) };
  const [from, to] = [await readSlice(openFrom(), block), await readSlice(openTo(), block)];
  const shown = passChecksum(from, to, { ...difference, offset: difference.offset - block });
  return {
    ...shown,
    offset: block + shown.offset,
    start: block + shown.start,
    part: "header",
    path: at.path,
    field: fieldAt(shown.offset),
  };
}

const BLOCK = 512;
const CHECKSUM = { start: 148, end: 156 } as const;

/** Where the header block stands that holds a byte. Absent: it is in none, but in records, content or padding. */
function headerBlockAt({ position }: TarMember, offset: number): number | undefined {
  const { headers, content } = position;
  const block = headers + Math.floor((offset - headers) / BLOCK) * BLOCK;
  return block === headers || block === content - BLOCK ? block : undefined;
}

/** A checksum only tells that something behind it differs as well: that is what is wanted, if it is there. */
function passChecksum(from: Uint8Array, to: Uint8Array, first: ByteDifference): ByteDifference {
  if (first.offset < CHECKSUM.start || first.offset >= CHECKSUM.end) return first;
  const behind = from.findIndex((byte, index) => index >= CHECKSUM.end && byte !== to[index]);
  if (behind < 0) return first;
  const start = behind - 4;
  const show = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(start, start + 16)).toString("hex");
  return { offset: behind, start, from: show(from), to: show(to) };
}

async function readSlice(content: LentBytes, start: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let position = 0;
  for await (const chunk of content) {
    const piece = chunk.subarray(Math.max(0, start - position), Math.max(0, start + BLOCK - position));
    pieces.push(Uint8Array.from(piece));
    position += chunk.byteLength;
    if (position >= start + BLOCK) break;
  }
  return Buffer.concat(pieces);
}

function placeIn(member: TarMember | undefined, offset: number): Pick<TarByte, "part" | "path"> {
  if (member === undefined) return { part: "end" };
  const { path, size, position } = member;
  if (offset < position.content) return { part: "header", path };
  if (offset < position.content + size) return { part: "content", path };
  const end = position.content + Math.ceil(size / BLOCK) * BLOCK;
  return offset < end ? { part: "padding", path } : { part: "end" };
}

/** The fields of a header and where each begins (POSIX.1-1988 ustar). */
const FIELDS: readonly (readonly [string, number])[] = [
  ["name", 0],
  ["mode", 100],
  ["uid", 108],
  ["gid", 116],
  ["size", 124],
  ["mtime", 136],
  ["chksum", 148],
  ["typeflag", 156],
  ["linkname", 157],
  ["magic", 257],
  ["version", 263],
  ["uname", 265],
  ["gname", 297],
  ["devmajor", 329],
  ["devminor", 337],
  ["prefix", 345],
];

function fieldAt(offset: number): string | undefined {
  return FIELDS.findLast(([, start]) => start <= offset)?.[0];
}
