// SPDX-License-Identifier: Apache-2.0
import type { LentBytes } from "../core/byte-stream.ts";

/** Takes counted pieces off a stream. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  /** What was put back, and comes before the rest of the chunk. */
  #ahead: Uint8Array = new Uint8Array(0);
  #chunk: Uint8Array = new Uint8Array(0);
  /** Bytes taken so far. */
  position = 0;

  constructor(content: LentBytes) {
    this.#source = content[Symbol.asyncIterator]();
  }

  /** At most `limit` of the next bytes, at least one, not copied; `undefined` at the end. Good until the next call. */
  async readSome(limit: number): Promise<Uint8Array | undefined> {
    if (this.#ahead.byteLength > 0) {
      const piece = this.#ahead.subarray(0, limit);
      this.#ahead = this.#ahead.subarray(piece.byteLength);
      this.position += piece.byteLength;
      return piece;
    }
    while (this.#chunk.byteLength === 0) {
      const { done, value } = await this.#source.next();
      if (done === true) return undefined;
      this.#chunk = value;
    }
    const piece = this.#chunk.byteLength <= limit ? this.#chunk : this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(piece.byteLength);
    this.position += piece.byteLength;
    return piece;
  }

  /** The next `size` bytes if they are at hand in one piece, not copied. Good until the next call. */
  readNow(size: number): Uint8Array | undefined {
    if (this.#ahead.byteLength > 0 || this.#chunk.byteLength < size) return undefined;
    const piece = this.#chunk.subarray(0, size);
    this.#chunk = this.#chunk.subarray(size);
    this.position += size;
    return piece;
  }

  /** The next `size` bytes, fewer when the stream ends before. A copy, which is the caller's. */
  async read(size: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafe(size);
    let length = 0;
    while (length < size) {
      const piece = await this.readSome(size - length);
      if (piece === undefined) break;
      bytes.set(piece, length);
      length += piece.byteLength;
    }
    return bytes.subarray(0, length);
  }

  /** Puts bytes that {@link read} gave back, to be read again first. Once, before anything else is read. */
  unread(bytes: Uint8Array): void {
    this.position -= bytes.byteLength;
    this.#ahead = bytes;
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
