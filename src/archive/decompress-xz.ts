// SPDX-License-Identifier: Apache-2.0
import { BufferPool } from "../core/buffer-pool.ts";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { type WorkerThread, WorkerThreads } from "../core/worker-thread.ts";
import { invalidCompressed } from "./invalid-compressed.ts";

/** Buffers go to the thread and come back with its answer. */
interface XzAnswer {
  readonly state: "hungry" | "more" | "done" | "broken";
  /** Decoded bytes, at the start of `output`. */
  readonly length: number;
  readonly output: ArrayBuffer;
  /** Absent: none was sent. */
  readonly input?: ArrayBuffer | undefined;
  /** Present when broken. */
  readonly problem?: string | undefined;
}

/** All streams share them; a thread keeps several streams apart, so an unread one never holds up another. */
const threads = new WorkerThreads(new URL("./xz-worker.mjs", import.meta.url));
/** The decoder takes no more at once. */
const inputs = new BufferPool(64 * 1024);
const outputs = new BufferPool(256 * 1024);
let lastId = 0;

/** Decodes xz on worker threads, one step ahead of the consumer. A chunk is overwritten once the next is asked for. */
export async function* decompressXz(content: LentBytes): LendingGenerator {
  const thread = threads.leastLoaded();
  lastId += 1;
  const stream = new XzStream(thread, lastId, content);
  thread.hold();
  try {
    yield* stream.read();
  } finally {
    await stream.close();
    thread.release();
  }
}

class XzStream {
  readonly #thread: WorkerThread;
  readonly #id: number;
  readonly #source: AsyncIterator<Uint8Array>;
  /** What is left of the source's last chunk. */
  #rest: Uint8Array = new Uint8Array(0);
  #step: Promise<XzAnswer> | undefined;
  #isDone = false;

  constructor(thread: WorkerThread, id: number, content: LentBytes) {
    this.#thread = thread;
    this.#id = id;
    this.#source = content[Symbol.asyncIterator]();
  }

  async *read(): LendingGenerator {
    this.#step = this.#feed();
    while (!this.#isDone) {
      const answer: XzAnswer = await this.#step;
      const { state, length, output, problem } = answer;
      if (state === "done" || state === "broken") this.#isDone = true;
      else this.#step = state === "more" ? this.#call({}) : this.#feed();
      // An error of the next step is met when it is awaited, which may be never.
      this.#step.catch(() => undefined);
      if (problem !== undefined) throw invalidCompressed("xz", problem);
      try {
        if (length > 0) yield new Uint8Array(output, 0, length);
      } finally {
        outputs.give(output);
      }
    }
  }

  async close(): Promise<void> {
    await this.#step?.catch(() => undefined);
    if (!this.#isDone) await this.#call({ close: true }).catch(() => undefined);
    await this.#source.return?.();
  }

  async #feed(): Promise<XzAnswer> {
    while (this.#rest.byteLength === 0) {
      const { done, value } = await this.#source.next();
      if (done === true) return await this.#call({ isLast: true });
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, inputs.size);
    this.#rest = this.#rest.subarray(piece.byteLength);
    const input = inputs.take();
    new Uint8Array(input).set(piece);
    return await this.#call({ input, length: piece.byteLength }, [input]);
  }

  async #call(step: object, buffers: readonly ArrayBuffer[] = []): Promise<XzAnswer> {
    const output = outputs.take();
    const message = { id: this.#id, output, ...step };
    const answer = await this.#thread.call<XzAnswer>(message, [output, ...buffers]);
    if (answer.input !== undefined) inputs.give(answer.input);
    return answer;
  }
}
