// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../core/byte-stream.ts";
import { type ElfSummary, readElf, startsWithElfMagic } from "./elf.ts";

/** Larger shared libraries are opened again for the tables that stand far inside. */
const MOST_KEPT_BYTES = 4 << 20;
/** Header, program headers and interpreter of every program that a linker of today writes. */
const HEAD_BYTES = 64 << 10;

/**
 * Watches one file go by and tells at its end what ELF file it was. Keeps nothing of a file that is not ELF,
 * and little of one that is; only tables beyond what was kept are read by opening the file once more.
 */
export class ElfProbe {
  readonly #reopen: () => ByteStream;
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #seenBytes = 0;
  #isElf: boolean | undefined;

  constructor(reopen: () => ByteStream) {
    this.#reopen = reopen;
  }

  /** Takes the next bytes of the file. The chunk may be kept until `finish`. */
  update(chunk: Uint8Array): void {
    this.#seenBytes += chunk.byteLength;
    if (this.#isElf === false || this.#keptBytes >= MOST_KEPT_BYTES) return;
    this.#kept.push(chunk);
    this.#keptBytes += chunk.byteLength;
    if (this.#isElf === undefined && this.#keptBytes >= 4) this.#decide();
    if (this.#keptBytes >= MOST_KEPT_BYTES && this.#seenBytes > MOST_KEPT_BYTES) this.#shrink();
  }

  /** What the file was. Absent when it is not an ELF file. */
  async finish(): Promise<ElfSummary | undefined> {
    if (this.#isElf !== true) return undefined;
    const kept = concatBytes(this.#kept);
    this.#kept.length = 0;
    return await readElf(async (offset, length) => {
      const end = Math.min(offset + length, this.#seenBytes);
      if (end <= kept.byteLength) return kept.subarray(Math.min(offset, end), end);
      return await readFrom(this.#reopen(), offset, end);
    });
  }

  #decide(): void {
    const head = concatBytes(this.#kept);
    this.#isElf = startsWithElfMagic(head);
    this.#kept.splice(0, this.#kept.length, ...(this.#isElf ? [head] : []));
  }

  /** A large program: its tables stand at its head as a rule, so megabytes need not wait for the end. */
  #shrink(): void {
    const head = concatBytes(this.#kept).slice(0, HEAD_BYTES);
    this.#kept.splice(0, this.#kept.length, head);
  }
}

async function readFrom(content: ByteStream, start: number, end: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let at = 0;
  for await (const chunk of content) {
    const from = Math.max(0, start - at);
    if (from < chunk.byteLength) parts.push(chunk.slice(from, Math.min(chunk.byteLength, end - at)));
    at += chunk.byteLength;
    if (at >= end) break;
  }
  return concatBytes(parts);
}

function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return Buffer.concat(parts);
}
