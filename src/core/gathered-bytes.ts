// SPDX-License-Identifier: Apache-2.0
import type { BufferPool } from "./buffer-pool.ts";

/**
 * Puts many small chunks into one large one: each step of a stream, and each call to the system, costs the same for a
 * few bytes as for thousands.
 */
export class GatheredBytes {
  readonly #pool: BufferPool;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
    this.#bytes = new Uint8Array(pool.take());
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Whether so many more bytes can be added before all is taken out. */
  hasRoomFor(length: number): boolean {
    return this.#length + length <= this.#bytes.byteLength;
  }

  add(chunk: Uint8Array): void {
    this.#bytes.set(chunk, this.#length);
    this.#length += chunk.byteLength;
  }

  addZeros(length: number): void {
    this.#bytes.fill(0, this.#length, this.#length + length);
    this.#length += length;
  }

  /** All that was added, good until more is. */
  takeAll(): Uint8Array {
    const all = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return all;
  }

  /** Gives the memory back. */
  close(): void {
    this.#pool.give(this.#bytes.buffer);
  }
}
