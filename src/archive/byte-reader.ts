// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../core/byte-stream.ts";

/** Takes counted pieces off a stream, without copying more than a piece that spans chunks. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Bytes taken so far. */
  position = 0;

  constructor(content: ByteStream) {
    this.#source = content[Symbol.asyncIterator]();
  }

  /** At most `limit` of the next bytes, at least one; `undefined` at the end. */
  async readSome(limit: number): Promise<Uint8Array | undefined> {
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

  /** The next `size` bytes, fewer when the stream ends before. */
  async read(size: number): Promise<Uint8Array> {
    const first = (await this.readSome(size)) ?? new Uint8Array(0);
    if (first.byteLength === size) return first;
    const pieces = [first];
    let length = first.byteLength;
    while (length < size) {
      const piece = await this.readSome(size - length);
      if (piece === undefined) break;
      pieces.push(piece);
      length += piece.byteLength;
    }
    return Buffer.concat(pieces, length);
  }

  /** Puts bytes back, to be read again first. */
  unread(bytes: Uint8Array): void {
    this.position -= bytes.byteLength;
    this.#chunk = this.#chunk.byteLength === 0 ? bytes : Buffer.concat([bytes, this.#chunk]);
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
