// SPDX-License-Identifier: Apache-2.0
import { Readable } from "node:stream";
import type { ByteStream } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { algorithmOf, type Descriptor } from "../../oci/index.ts";
import type { RepositoryApi } from "./repository-api.ts";
import type { RetryClock } from "./retry.ts";
import { attempt, checkClosing, closingRequest, type UploadAttempt } from "./upload-attempt.ts";
import { UploadFeed } from "./upload-feed.ts";
import {
  acknowledgedOf,
  cancelSession,
  inspectSession,
  openSession,
  sessionOf,
  type UploadSession,
} from "./upload-session.ts";

/** Bytes that are kept to be sent again. More than what is on its way when a connection breaks. */
const WINDOW = 8 * 1024 * 1024;
/** Size of requests after a registry (or a proxy before it) has refused a larger one. */
const MODEST_CHUNK = 4 * 1024 * 1024;
const MOST_RECOVERIES = 10;

/** Optional parts of {@link streamBlob}. */
export interface StreamBlobOptions extends OperationOptions {
  readonly session?: UploadSession | undefined;
  readonly chunkSize?: number | undefined;
}

/** Sends a blob without holding it in memory, in one request or in chunks, and goes on after failures that may pass. */
export async function streamBlob(
  api: RepositoryApi,
  descriptor: Descriptor,
  content: ByteStream,
  options: StreamBlobOptions,
): Promise<void> {
  const upload = new StreamedUpload(api, descriptor, content, options);
  try {
    await upload.run();
  } finally {
    await upload.close();
  }
}

class StreamedUpload {
  readonly #api: RepositoryApi;
  readonly #descriptor: Descriptor;
  readonly #content: ByteStream;
  readonly #options: StreamBlobOptions;
  #feed: UploadFeed;
  #clock: RetryClock;
  #session: UploadSession | undefined;
  #chunkSize: number;
  #offset = 0;
  #recoveries = 0;
  #isDone = false;
  /** Whether something was sent into the session already: then every further request must say where it starts. */
  #isUsed = false;
  #isAnew = false;

  constructor(api: RepositoryApi, descriptor: Descriptor, content: ByteStream, options: StreamBlobOptions) {
    this.#api = api;
    this.#descriptor = descriptor;
    this.#content = content;
    this.#options = options;
    this.#feed = new UploadFeed(content, descriptor, WINDOW);
    this.#clock = api.transport.startClock();
    this.#session = options.session;
    this.#chunkSize = options.chunkSize ?? Number.POSITIVE_INFINITY;
  }

  async run(): Promise<void> {
    const { digest, size } = this.#descriptor;
    while (!this.#isDone) {
      if (this.#session === undefined) {
        this.#session = await openSession(this.#api, algorithmOf(digest), this.#options);
        this.#isUsed = false;
      }
      const outcome =
        this.#offset < size ? await this.#sendChunk(this.#session) : await this.#finish(this.#session);
      if (outcome.failure !== undefined) await this.#recover(this.#session, outcome);
    }
  }

  async close(): Promise<void> {
    await this.#feed.close();
    if (!this.#isDone && this.#session !== undefined) await cancelSession(this.#api, this.#session);
  }

  async #sendChunk(session: UploadSession): Promise<UploadAttempt> {
    const { size } = this.#descriptor;
    const start = this.#offset;
    const end = Math.min(size, start + Math.max(this.#chunkSize, session.minimumChunk));
    // A blob in one request needs no range, and some registries take it only without.
    const isWhole = start === 0 && end === size && !this.#isUsed;
    const range = isWhole ? {} : { "content-range": `${start}-${end - 1}` };
    this.#isUsed = true;
    const outcome = await attempt(
      this.#api,
      {
        method: "PATCH",
        url: session.url,
        headers: {
          "content-type": "application/octet-stream",
          "content-length": String(end - start),
          ...range,
        },
        body: this.#feed.read(start, end),
        scopes: this.#api.push,
        accept: [201, 202, 204],
      },
      this.#options,
    );
    const { response } = outcome;
    if (outcome.failure === undefined && response !== undefined) {
      this.#session = { ...sessionOf(this.#api, response), minimumChunk: session.minimumChunk };
      await this.#advance(Math.min(acknowledgedOf(response, start === 0) ?? end, end), start);
    }
    return outcome;
  }

  async #finish(session: UploadSession): Promise<UploadAttempt> {
    const { digest } = this.#descriptor;
    await this.#feed.finish();
    const outcome = await attempt(
      this.#api,
      closingRequest(this.#api, session, digest, new Uint8Array()),
      this.#options,
    );
    if (outcome.failure === undefined) {
      this.#isDone = true;
      checkClosing(this.#api, digest, outcome.response);
    }
    return outcome;
  }

  /** A registry that took less than it was sent gets the rest again; one that takes nothing is given up. */
  async #advance(offset: number, before: number): Promise<void> {
    if (offset <= before) this.#countRecovery(undefined);
    else this.#clock = this.#api.transport.startClock();
    await this.#moveTo(offset);
  }

  async #recover(
    session: UploadSession,
    { asked, failure, isPassing, response }: UploadAttempt,
  ): Promise<void> {
    if (this.#feed.failure !== undefined) throw this.#feed.failure;
    const status = response?.status;
    if (this.#mayBeSpoilt(status)) return this.#beginAnew(session);
    if (!isPassing && !RECOVERABLE.has(status ?? 0)) throw failure;
    if (status === 413) this.#useModestChunks(failure);
    this.#countRecovery(failure);
    await this.#api.transport.wait(this.#clock, { failure, asked }, this.#options);
    const found = await inspectSession(this.#api, session, this.#offset === 0, this.#options);
    this.#session = found?.session;
    const offset = found?.offset ?? 0;
    if (offset > this.#offset) this.#clock = this.#api.transport.startClock();
    await this.#moveTo(Math.min(offset, this.#descriptor.size));
  }

  /**
   * Whether the registry's copy may be wrong though all that was sent is right: one that was killed in mid-upload may
   * count bytes that its disk lost. Everything is sent once more then.
   */
  #mayBeSpoilt(status: number | undefined): boolean {
    const wasTakenUp = status === 400 && this.#recoveries > 0 && this.#offset === this.#descriptor.size;
    return wasTakenUp && !this.#isAnew && isRepeatable(this.#content);
  }

  async #beginAnew(session: UploadSession): Promise<void> {
    this.#isAnew = true;
    await cancelSession(this.#api, session);
    this.#session = undefined;
    await this.#moveTo(0);
  }

  #useModestChunks(failure: unknown): void {
    if (this.#chunkSize <= MODEST_CHUNK) throw failure;
    this.#chunkSize = MODEST_CHUNK;
  }

  #countRecovery(failure: unknown): void {
    this.#recoveries += 1;
    if (this.#recoveries > MOST_RECOVERIES)
      throw failure ?? lost(this.#api, this.#descriptor, "does not take it");
  }

  async #moveTo(offset: number): Promise<void> {
    this.#offset = offset;
    if (offset >= this.#feed.start) return;
    if (!isRepeatable(this.#content)) {
      throw lost(this.#api, this.#descriptor, `lost what was sent after byte ${offset}`);
    }
    await this.#feed.close();
    this.#feed = new UploadFeed(this.#content, this.#descriptor, WINDOW);
  }
}

/** Lost place (416), forgotten upload (404), token of age (401), too large at once (413). */
const RECOVERABLE = new Set([401, 404, 413, 416]);

/** Whether reading starts anew each time. A generator or a Node.js stream gives its content once. */
function isRepeatable(content: ByteStream): boolean {
  return !("next" in content) && !(content instanceof Readable);
}

function lost({ title }: RepositoryApi, { digest }: Descriptor, what: string): ToolingError {
  return new ToolingError("REGISTRY_FAILED", `upload of "${digest}": "${title}" ${what}`, {
    hint: "Run the same command again; what has arrived is not sent twice.",
  });
}
