// SPDX-License-Identifier: Apache-2.0
import type { BufferPool } from "../core/buffer-pool.ts";
import type { LentBytes } from "../core/byte-stream.ts";

/** Small files that stand side by side and go to the disk in one call. */
export class SpoolBatch {
  readonly #pool: BufferPool;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  #used = 0;
  /** Files that have their place and are not there yet. */
  #missing = 0;
  #tellComplete = (): void => {};
  #settled: Promise<void> | undefined;

  /** @param write Puts all the bytes where they belong; called once. */
  constructor(pool: BufferPool, write: (bytes: Uint8Array) => Promise<void>) {
    this.#pool = pool;
    this.#bytes = new Uint8Array(pool.take());
    this.#write = write;
  }

  /** Whether a file of so many bytes can still be added. */
  hasRoomFor(size: number): boolean {
    return this.#settled === undefined && this.#used + size <= this.#bytes.byteLength;
  }

  /** Gives the file its place at once, in bytes from the start of the batch, and fills it as the content comes. */
  add(content: LentBytes, size: number): { readonly at: number; readonly filled: Promise<void> } {
    const at = this.#used;
    this.#used += size;
    this.#missing += 1;
    return { at, filled: this.#fill(this.#bytes.subarray(at, at + size), content) };
  }

  /** Takes no more files, and resolves when all of them can be read from the disk. */
  async settle(): Promise<void> {
    this.#settled ??= this.#finish();
    await this.#settled;
  }

  async #fill(place: Uint8Array, content: LentBytes): Promise<void> {
    let length = 0;
    try {
      for await (const chunk of content) {
        place.set(chunk, length);
        length += chunk.byteLength;
      }
    } finally {
      this.#missing -= 1;
      if (this.#missing === 0) this.#tellComplete();
    }
  }

  async #finish(): Promise<void> {
    if (this.#missing > 0) {
      await new Promise<void>((resolve) => {
        this.#tellComplete = resolve;
      });
    }
    try {
      await this.#write(this.#bytes.subarray(0, this.#used));
    } finally {
      this.#pool.give(this.#bytes.buffer);
    }
  }
}
