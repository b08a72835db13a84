// SPDX-License-Identifier: Apache-2.0
import { BufferPool } from "../core/buffer-pool.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import { type ElfSummary, readElf, startsWithElfMagic } from "./elf.ts";

/** As much of a file is kept. What stands further inside, as in a large shared library, is read by opening it again. */
const pool = new BufferPool(1 << 20);
const MAGIC_BYTES = 4;

/**
 * Watches one file go by and tells at its end what ELF file it was. Keeps nothing of a file that is not ELF,
 * and little of one that is; only tables beyond what was kept are read by opening the file once more.
 */
export class ElfProbe {
  readonly #reopen: () => LentBytes;
  #kept: Uint8Array<ArrayBuffer> | undefined;
  #seenBytes = 0;
  #isElf: boolean | undefined;

  constructor(reopen: () => LentBytes) {
    this.#reopen = reopen;
  }

  /** Takes the next bytes of the file. */
  update(chunk: Uint8Array): void {
    const at = this.#seenBytes;
    this.#seenBytes += chunk.byteLength;
    if (this.#isElf === false || at >= pool.size) return;
    this.#kept ??= new Uint8Array(pool.take());
    this.#kept.set(chunk.subarray(0, pool.size - at), at);
    if (this.#isElf !== undefined || this.#seenBytes < MAGIC_BYTES) return;
    this.#isElf = startsWithElfMagic(this.#kept);
    if (!this.#isElf) this.#drop();
  }

  /** What the file was. Absent when it is not an ELF file. */
  async finish(): Promise<ElfSummary | undefined> {
    const kept = this.#kept?.subarray(0, this.#seenBytes);
    try {
      if (this.#isElf !== true || kept === undefined) return undefined;
      return await readElf(async (offset, length) => {
        const end = Math.min(offset + length, this.#seenBytes);
        if (end <= kept.byteLength) return kept.subarray(Math.min(offset, end), end);
        return await readFrom(this.#reopen(), offset, end);
      });
    } finally {
      this.#drop();
    }
  }

  #drop(): void {
    if (this.#kept !== undefined) pool.give(this.#kept.buffer);
    this.#kept = undefined;
  }
}

async function readFrom(content: LentBytes, start: number, end: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let at = 0;
  for await (const chunk of content) {
    const from = Math.max(0, start - at);
    if (from < chunk.byteLength)
      parts.push(new Uint8Array(chunk.subarray(from, Math.min(chunk.byteLength, end - at))));
    at += chunk.byteLength;
    if (at >= end) break;
  }
  return Buffer.concat(parts);
}
