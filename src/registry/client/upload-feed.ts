// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import type { Descriptor } from "../../oci/index.ts";

/**
 * A stream that is read once but can be sent from a little earlier again: the last bytes given out are kept, so that
 * what was on its way when a connection broke is not lost.
 */
export class UploadFeed {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #descriptor: Descriptor;
  readonly #window: number;
  #failure: unknown;
  #kept: Uint8Array[] = [];
  #keptSize = 0;
  #end = 0;
  #hasEnded = false;

  /** @param window Bytes kept at least, once as many have passed. */
  constructor(content: ByteStream, descriptor: Descriptor, window: number) {
    this.#source = content[Symbol.asyncIterator]();
    this.#descriptor = descriptor;
    this.#window = window;
  }

  /** What went wrong in the content itself: no other try can mend it. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The first byte that can be given out again. */
  get start(): number {
    return this.#end - this.#keptSize;
  }

  /** Bytes `from` to `to` (not included). `from` is not before {@link start}; what is before it is read and passed over. */
  async *read(from: number, to: number): AsyncGenerator<Uint8Array> {
    while (this.#end < from) await this.#pull();
    let at = from;
    while (at < to) {
      const chunk = this.#recall(at) ?? (await this.#pull());
      const part = chunk.subarray(0, to - at);
      at += part.byteLength;
      if (part.byteLength > 0) yield part;
    }
  }

  /** Reads to the end of the source, which may find only there that its content is not what it should be. */
  async finish(): Promise<void> {
    while (!this.#hasEnded) await this.#pull();
  }

  /** Ends the source, which may hold a file or a connection. */
  async close(): Promise<void> {
    this.#kept = [];
    this.#keptSize = 0;
    await this.#source.return?.();
  }

  /** Kept bytes from `at` on, up to the end of their chunk. `undefined` when all kept are before. */
  #recall(at: number): Uint8Array | undefined {
    let start = this.start;
    for (const chunk of this.#kept) {
      if (at < start + chunk.byteLength) return chunk.subarray(at - start);
      start += chunk.byteLength;
    }
    return undefined;
  }

  async #pull(): Promise<Uint8Array> {
    try {
      const { value, done = false } = await this.#source.next();
      const chunk: Uint8Array = done ? new Uint8Array() : (value as Uint8Array);
      this.#checkSize(this.#end + chunk.byteLength, done);
      this.#hasEnded = done;
      this.#keep(chunk);
      return chunk;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #checkSize(end: number, done: boolean): void {
    const { digest, size } = this.#descriptor;
    if (end <= size && !(done && end < size)) return;
    throw new ToolingError(
      "SIZE_MISMATCH",
      `"${digest}" has ${done ? end : `more than ${size}`} bytes, not ${size}`,
      {
        hint: "Check where it comes from: the content has changed, or its description is wrong.",
      },
    );
  }

  #keep(chunk: Uint8Array): void {
    this.#kept.push(chunk);
    this.#keptSize += chunk.byteLength;
    this.#end += chunk.byteLength;
    for (let [oldest] = this.#kept; oldest !== undefined; [oldest] = this.#kept) {
      if (this.#keptSize - oldest.byteLength < this.#window) break;
      this.#kept.shift();
      this.#keptSize -= oldest.byteLength;
    }
  }
}
