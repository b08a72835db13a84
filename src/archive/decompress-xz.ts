// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../core/byte-stream.ts";
import { invalidCompressed } from "./invalid-compressed.ts";
import { type WorkerThread, WorkerThreads } from "./worker-thread.ts";

type XzAnswer =
  | { readonly output: Uint8Array; readonly state: "hungry" | "more" | "done" }
  | { readonly problem: string };

/** All streams share them; a thread keeps several streams apart, so an unread one never holds up another. */
const threads = new WorkerThreads("xz-worker.mjs");
let lastId = 0;

/** Decodes xz on worker threads, one step ahead of the consumer. */
export async function* decompressXz(content: ByteStream): AsyncGenerator<Uint8Array> {
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
  #step: Promise<XzAnswer> | undefined;
  #isDone = false;

  constructor(thread: WorkerThread, id: number, content: ByteStream) {
    this.#thread = thread;
    this.#id = id;
    this.#source = content[Symbol.asyncIterator]();
  }

  async *read(): AsyncGenerator<Uint8Array> {
    this.#step = this.#feed();
    while (!this.#isDone) {
      const answer: XzAnswer = await this.#step;
      if ("problem" in answer) {
        this.#isDone = true;
        throw invalidCompressed("xz", answer.problem);
      }
      if (answer.state === "done") this.#isDone = true;
      else this.#step = answer.state === "more" ? this.#call({}) : this.#feed();
      // An error of the next step is met when it is awaited, which may be never.
      this.#step.catch(() => undefined);
      if (answer.output.byteLength > 0) yield answer.output;
    }
  }

  async close(): Promise<void> {
    await this.#step?.catch(() => undefined);
    if (!this.#isDone) await this.#call({ close: true }).catch(() => undefined);
    await this.#source.return?.();
  }

  async #feed(): Promise<XzAnswer> {
    const { done, value } = await this.#source.next();
    if (done === true) return await this.#call({ isLast: true });
    // A copy: the chunk may share its memory with others, and transferring would take it from them.
    const input = new Uint8Array(value);
    return await this.#call({ input }, [input.buffer]);
  }

  async #call(step: object, transfer: ArrayBuffer[] = []): Promise<XzAnswer> {
    return await this.#thread.call<XzAnswer>({ id: this.#id, ...step }, transfer);
  }
}
