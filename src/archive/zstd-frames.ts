// SPDX-License-Identifier: Apache-2.0
import type { LentBytes } from "../core/byte-stream.ts";
import { ByteReader } from "./byte-reader.ts";
import { invalidCompressed } from "./invalid-compressed.ts";
import { limitExceeded } from "./read-limits.ts";

/** Bytes of memory that a zstd frame may ask its reader for. */
const LARGEST_WINDOW = 128 * 1024 * 1024;
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/** A piece of a frame; `isLast` ends the frame. */
export interface ZstdPiece {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/**
 * Walks over the frames and blocks of zstd content (RFC 8878 section 3.1) without decoding them, and lets through
 * only whole frames with a bearable window. Skippable frames are left out.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID`, `ARCHIVE_LIMIT_EXCEEDED`
 */
export async function* readZstdFrames(content: LentBytes): AsyncGenerator<ZstdPiece> {
  const reader = new ByteReader(content);
  let isEmpty = true;
  try {
    for (;;) {
      const magic = await reader.read(4);
      if (magic.byteLength === 0 && !isEmpty) return;
      isEmpty = false;
      const number = magic.byteLength === 4 ? Buffer.from(magic).readUInt32LE() : 0;
      if ((number & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) await skipFrame(reader);
      else if (number === FRAME_MAGIC) yield* readFrame(reader, magic);
      else throw invalidCompressed("zstd", "holds something that is no zstd frame");
    }
  } finally {
    await reader.close();
  }
}

async function skipFrame(reader: ByteReader): Promise<void> {
  let left = Buffer.from(await readExactly(reader, 4)).readUInt32LE();
  while (left > 0) {
    const piece = await reader.readSome(left);
    if (piece === undefined) throw cutShort();
    left -= piece.byteLength;
  }
}

async function* readFrame(reader: ByteReader, magic: Uint8Array): AsyncGenerator<ZstdPiece> {
  const { header, hasChecksum } = await readFrameHeader(reader);
  yield { bytes: Buffer.concat([magic, header]), isLast: false };
  for (;;) {
    const head = await readExactly(reader, 3);
    const [first = 0, second = 0, third = 0] = head;
    const size = (first >> 3) | (second << 5) | (third << 13);
    const isRepeated = ((first >> 1) & 3) === 1;
    const isLast = (first & 1) === 1;
    const rest = await readExactly(reader, (isRepeated ? 1 : size) + (isLast && hasChecksum ? 4 : 0));
    yield { bytes: Buffer.concat([head, rest]), isLast };
    if (isLast) return;
  }
}

async function readFrameHeader(reader: ByteReader): Promise<{ header: Uint8Array; hasChecksum: boolean }> {
  const descriptor = await readExactly(reader, 1);
  const [flags = 0] = descriptor;
  const isSingleSegment = (flags & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  const rest = Buffer.from(
    await readExactly(reader, (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes),
  );
  if (dictionaryBytes > 0 && rest.some((byte) => byte !== 0))
    checkDictionary(rest, isSingleSegment, dictionaryBytes);
  const window = isSingleSegment ? readSize(rest.subarray(dictionaryBytes)) : readWindow(rest[0] ?? 0);
  if (window > LARGEST_WINDOW) throw limitExceeded(`zstd content asks for a window of ${window} bytes`);
  return { header: Buffer.concat([descriptor, rest]), hasChecksum: (flags & 4) !== 0 };
}

function checkDictionary(rest: Buffer, isSingleSegment: boolean, length: number): void {
  const start = isSingleSegment ? 0 : 1;
  if (rest.subarray(start, start + length).every((byte) => byte === 0)) return;
  throw invalidCompressed("zstd", "needs a dictionary");
}

function readWindow(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function readSize(bytes: Buffer): number {
  if (bytes.byteLength === 8) return Number(bytes.readBigUInt64LE());
  const size = bytes.readUIntLE(0, bytes.byteLength);
  return bytes.byteLength === 2 ? size + 256 : size;
}

async function readExactly(reader: ByteReader, size: number): Promise<Uint8Array> {
  if (size === 0) return new Uint8Array(0);
  const bytes = await reader.read(size);
  if (bytes.byteLength < size) throw cutShort();
  return bytes;
}

function cutShort(): Error {
  return invalidCompressed("zstd", "is cut short");
}
