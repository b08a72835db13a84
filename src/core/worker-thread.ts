// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/** Threads that one kind of work may use: the machine's cores, at most four, at least two. */
export const WORKER_THREADS: number = Math.max(2, Math.min(availableParallelism(), 4));

/**
 * A thread without work is kept this long, in milliseconds, then its memory goes back to the system: a layer is first
 * decoded and then compressed, and the threads of the one are not to sit beside those of the other.
 */
const IDLE_TIME = 250;

/** The scripts hold their data in array buffers and WebAssembly, and need little heap besides. In MiB. */
const WORKER_MEMORY = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

interface Call {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A worker thread that answers each message, in order. It keeps the process alive only while it owes an answer, and
 * stops after a while without work; the next call starts it again.
 */
export class WorkerThread {
  readonly #script: URL;
  readonly #calls: Call[] = [];
  /** Streams that have state in the thread, which must therefore not stop. */
  #holders = 0;
  #worker: Worker | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  /** `script` is plain JavaScript, so that it starts from src/ and from dist/ alike. */
  constructor(script: URL) {
    this.#script = script;
  }

  /** Calls that wait for an answer, and streams that hold the thread. */
  get load(): number {
    return this.#calls.length + this.#holders;
  }

  call<Answer>(message: object, transfer: ArrayBuffer[] = []): Promise<Answer> {
    clearTimeout(this.#idleTimer);
    this.#worker ??= this.#start();
    this.#worker.ref();
    return new Promise<Answer>((resolve, reject) => {
      this.#calls.push({ resolve: (answer) => resolve(answer as Answer), reject });
      this.#worker?.postMessage(message, transfer);
    });
  }

  hold(): void {
    this.#holders += 1;
  }

  release(): void {
    this.#holders -= 1;
    this.#rest();
  }

  #start(): Worker {
    const worker = new Worker(this.#script, {
      execArgv: [],
      resourceLimits: WORKER_MEMORY,
    });
    worker.on("message", (answer: unknown) => {
      const call = this.#calls.shift();
      this.#rest();
      call?.resolve(answer);
    });
    worker.on("error", (error: unknown) => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#calls.splice(0)) reject(error);
    });
    return worker;
  }

  #rest(): void {
    if (this.#calls.length > 0) return;
    this.#worker?.unref();
    clearTimeout(this.#idleTimer);
    if (this.#holders > 0) return;
    this.#idleTimer = setTimeout(() => {
      void this.#worker?.terminate();
      this.#worker = undefined;
    }, IDLE_TIME);
    this.#idleTimer.unref();
  }
}

/** Threads that run the same script. */
export class WorkerThreads {
  readonly #threads: readonly WorkerThread[];

  /** @param script beside its caller: `new URL("./x-worker.mjs", import.meta.url)` */
  constructor(script: URL, count: number = WORKER_THREADS) {
    this.#threads = Array.from({ length: count }, () => new WorkerThread(script));
  }

  /** The thread with the least to do. */
  leastLoaded(): WorkerThread {
    const [first, ...others] = this.#threads as [WorkerThread, ...WorkerThread[]];
    return others.reduce((best, thread) => (thread.load < best.load ? thread : best), first);
  }
}
