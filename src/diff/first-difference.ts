// SPDX-License-Identifier: Apache-2.0
import type { LentBytes } from "../core/byte-stream.ts";

/** Where two contents begin to differ, and a few bytes of both around it. */
export interface ByteDifference {
  /** Of the first byte that differs, from 0; the length of the shorter one when that is where they part. */
  readonly offset: number;
  /** Of the first byte that is shown: a few before the difference, which are the same in both. */
  readonly start: number;
  /** Hex digits of at most 16 bytes from {@link start} on. */
  readonly from: string;
  readonly to: string;
}

/** Bytes that are shown, and how many of them stand before the difference. */
const SHOWN = 16;
const BEFORE = 4;

/**
 * Reads two streams side by side, no further than to the first byte that differs. Absent: they are the same.
 *
 * @throws what the streams throw
 */
export async function findFirstDifference(
  from: LentBytes,
  to: LentBytes,
): Promise<ByteDifference | undefined> {
  const [left, right] = [new Cursor(from), new Cursor(to)];
  try {
    let offset = 0;
    let before: Uint8Array = new Uint8Array(0);
    for (;;) {
      await Promise.all([left.fill(), right.fill()]);
      const length = Math.min(left.rest.byteLength, right.rest.byteLength);
      const same = countSame(left.rest.subarray(0, length), right.rest.subarray(0, length));
      before = lastOf(before, left.rest.subarray(0, same));
      offset += same;
      left.skip(same);
      right.skip(same);
      if (same < length || length === 0) break;
    }
    const [a, b] = [await left.take(SHOWN - before.byteLength), await right.take(SHOWN - before.byteLength)];
    if (a.byteLength === 0 && b.byteLength === 0) return undefined;
    const show = (bytes: Uint8Array): string => Buffer.concat([before, bytes]).toString("hex");
    return { offset, start: offset - before.byteLength, from: show(a), to: show(b) };
  } finally {
    await Promise.all([left.close(), right.close()]);
  }
}

/** How many bytes at the start of two pieces of one length are the same. */
function countSame(a: Uint8Array, b: Uint8Array): number {
  if (Buffer.compare(a, b) === 0) return a.byteLength;
  let index = 0;
  while (a[index] === b[index]) index += 1;
  return index;
}

function lastOf(older: Uint8Array, newer: Uint8Array): Uint8Array {
  if (newer.byteLength >= BEFORE) return Uint8Array.from(newer.subarray(newer.byteLength - BEFORE));
  const both = Buffer.concat([older, newer]);
  return both.subarray(Math.max(0, both.byteLength - BEFORE));
}

/** A place in a stream, and the bytes from there to the end of the chunk at hand. */
class Cursor {
  readonly #source: AsyncIterator<Uint8Array>;
  rest: Uint8Array = new Uint8Array(0);

  constructor(content: LentBytes) {
    this.#source = content[Symbol.asyncIterator]();
  }

  /** Makes sure that there is a next byte, unless the stream is at its end. */
  async fill(): Promise<void> {
    while (this.rest.byteLength === 0) {
      const { done, value } = await this.#source.next();
      if (done === true) return;
      this.rest = value;
    }
  }

  skip(count: number): void {
    this.rest = this.rest.subarray(count);
  }

  /** The next bytes, fewer at the end. */
  async take(count: number): Promise<Uint8Array> {
    const taken: Uint8Array[] = [];
    for (let left = count; left > 0;) {
      await this.fill();
      const piece = this.rest.subarray(0, left);
      if (piece.byteLength === 0) break;
      taken.push(Uint8Array.from(piece));
      left -= piece.byteLength;
      this.skip(piece.byteLength);
    }
    return Buffer.concat(taken);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
