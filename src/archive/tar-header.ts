// SPDX-License-Identifier: Apache-2.0
import { invalidTar } from "./invalid-tar.ts";

/** Bytes of a header, and the unit in which content is padded. */
export const TAR_BLOCK = 512;

/** The fields of one header block (POSIX.1-1988 ustar). */
export interface TarHeader {
  /** `prefix` and `name` joined. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds. */
  readonly mtime: number;
  /** One character: `0` file, `5` directory, ... */
  readonly typeflag: string;
  readonly target: string;
}

/** Largest number that fits an octal field of `digits` digits. */
function largestOctal(digits: number): number {
  return 8 ** digits - 1;
}

/** Largest owner number and largest size that a header can hold without an extended one. */
export const LARGEST_OWNER: number = largestOctal(7);
export const LARGEST_SIZE: number = largestOctal(11);

/** Splits a path into ustar's `prefix` and `name`. Absent when it is too long for them or not ASCII. */
export function splitUstarPath(path: string): { prefix: string; name: string } | undefined {
  // eslint-disable-next-line no-control-regex
  if (!/^[\x01-\x7f]*$/.test(path)) return undefined;
  if (path.length <= 100) return { prefix: "", name: path };
  // The last slash that leaves a name: a directory's own slash ends its name.
  const at = path.lastIndexOf("/", Math.min(155, path.length - 2));
  if (at <= 0 || path.length - at - 1 > 100) return undefined;
  return { prefix: path.slice(0, at), name: path.slice(at + 1) };
}

/** One header block. The caller has made sure that each field fits. */
export function formatTarHeader(
  header: Omit<TarHeader, "path"> & { prefix: string; name: string },
): Uint8Array {
  const block = Buffer.alloc(TAR_BLOCK);
  block.write(header.name, 0, 100, "latin1");
  writeOctal(block, 100, 7, header.mode);
  writeOctal(block, 108, 7, header.uid);
  writeOctal(block, 116, 7, header.gid);
  writeOctal(block, 124, 11, header.size);
  writeOctal(block, 136, 11, header.mtime);
  block.write(header.typeflag, 156, 1, "latin1");
  block.write(header.target, 157, 100, "latin1");
  block.write("ustar\x0000", 257, 8, "latin1");
  writeOctal(block, 329, 7, 0);
  writeOctal(block, 337, 7, 0);
  block.write(header.prefix, 345, 155, "latin1");
  block.write(`${checksumOf(block).toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  return block;
}

function writeOctal(block: Buffer, offset: number, digits: number, value: number): void {
  block.write(value.toString(8).padStart(digits, "0"), offset, digits, "latin1");
}

/** The sum of all bytes, the checksum field itself counted as spaces. */
function checksumOf(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < TAR_BLOCK; index += 1) {
    if (index < 148 || index >= 156) sum += block[index] ?? 0;
  }
  return sum;
}

/**
 * Reads one header block: ustar, GNU and the seventh edition's.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID`
 */
export function parseTarHeader(bytes: Uint8Array): TarHeader {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (parseNumber(block, 148, 8) !== checksumOf(block))
    throw invalidTar("has a header with a wrong checksum");
  const magic = block.toString("latin1", 257, 265);
  // GNU keeps times and sparse maps where ustar has the prefix.
  const prefix = magic.startsWith("ustar\0") ? parseText(block, 345, 155) : "";
  const name = parseText(block, 0, 100);
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    mode: parseNumber(block, 100, 8) & 0o7777,
    uid: parseNumber(block, 108, 8),
    gid: parseNumber(block, 116, 8),
    size: parseNumber(block, 124, 12),
    mtime: parseNumber(block, 136, 12, true),
    typeflag: String.fromCharCode(block[156] || 0x30),
    target: parseText(block, 157, 100),
  };
}

/** Whether all bytes are zero: two such blocks end an archive. */
export function isZeroBlock(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function parseText(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  return block.toString("utf8", offset, end < 0 || end > offset + length ? offset + length : end);
}

function parseNumber(block: Buffer, offset: number, length: number, mayBeNegative = false): number {
  const first = block[offset] ?? 0;
  if (first === 0x80 || first === 0xff) return parseBase256(block, offset, length, mayBeNegative);
  const text = block
    .toString("latin1", offset, offset + length)
    .replaceAll("\0", " ")
    .trim();
  if (!/^[0-7]*$/.test(text)) throw invalidTar("has a header with a malformed number");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

/** GNU's binary form, big-endian two's complement, for what octal cannot hold. */
function parseBase256(block: Buffer, offset: number, length: number, mayBeNegative: boolean): number {
  let value = block[offset] === 0xff ? -1n : 0n;
  for (const byte of block.subarray(offset + 1, offset + length)) value = value * 256n + BigInt(byte);
  const number = Number(value);
  if (!Number.isSafeInteger(number) || (number < 0 && !mayBeNegative)) {
    throw invalidTar("has a header with a number out of range");
  }
  return number;
}
