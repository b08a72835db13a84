// SPDX-License-Identifier: Apache-2.0

/**
 * Buffers of one size that are used again and again. Work that goes through gigabytes in fresh buffers leaves more
 * behind than it ever holds: each waits for the garbage collector, and the allocator keeps the holes.
 *
 * A buffer belongs to whoever took it, until he gives it back. One that he does not give back is merely lost.
 */
export class BufferPool {
  /** Bytes of each buffer. */
  readonly size: number;
  readonly #spare: ArrayBuffer[] = [];

  constructor(size: number) {
    this.size = size;
  }

  take(): ArrayBuffer {
    return this.#spare.pop() ?? new ArrayBuffer(this.size);
  }

  /** A buffer that has gone to another thread, or is of another size, is passed over. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === this.size) this.#spare.push(buffer);
  }
}
