// SPDX-License-Identifier: Apache-2.0
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { ByteStream } from "./byte-stream.ts";
import type { HttpAnswer, HttpRequestOptions } from "./http-message.ts";

/** Begins a request; its body is still to be written. */
export type RequestOpener = (url: URL, options: RequestOptions) => ClientRequest;

/** Bytes of an answer that are read only to keep the connection. */
const MOST_DUMPED = 128 * 1024;

/** One request and its answer, over `node:http` or `node:https`. */
export async function exchangeOverHttp(
  open: RequestOpener,
  url: URL,
  options: HttpRequestOptions & { readonly connectTimeout: number },
): Promise<HttpAnswer> {
  const { method, headers, body, headersTimeout, signal } = options;
  signal?.throwIfAborted();
  const request = open(url, { method, headers: { ...headers }, timeout: headersTimeout });
  const answering = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    // Stays: what breaks after the answer has begun is told to whoever reads the answer.
    request.on("error", reject);
  });
  const feed = new BodyFeed(request);
  watch(request, feed, options);
  void feed.send(body);
  const answer = await answering;
  answer.socket.setTimeout(options.bodyTimeout);
  return {
    statusCode: answer.statusCode ?? 0,
    headers: headersOf(answer),
    body: Object.assign(answer, {
      dump: async (limits?: { limit: number }) => dump(answer, limits),
    }),
  };
}

/** Each value apart: Node.js would join those of a header that came twice. */
function headersOf({ headersDistinct }: IncomingMessage): HttpAnswer["headers"] {
  const entries = Object.entries(headersDistinct);
  return Object.fromEntries(
    entries.map(([name, values = []]) => [name, values.length > 1 ? values : values[0]]),
  );
}

/** Ends the exchange when it is aborted, cannot connect or stands still. */
function watch(
  request: ClientRequest,
  feed: BodyFeed,
  { signal, bodyTimeout, connectTimeout }: HttpRequestOptions & { readonly connectTimeout: number },
): void {
  let answer: IncomingMessage | undefined;
  const end = (reason: Error): unknown => (answer ?? request).destroy(reason);
  const onAbort = (): unknown => end(signal?.reason as Error);
  signal?.addEventListener("abort", onAbort);
  request.once("close", () => signal?.removeEventListener("abort", onAbort));
  request.once("response", (message: IncomingMessage) => {
    answer = message;
    // A server that has said all it has to say will not read the rest of a body either.
    message.once("end", () => setImmediate(() => request.writableEnded || request.destroy()));
  });
  request.on("timeout", () => {
    // Not the server's fault: what it sent is not read yet, or what it shall get is not there yet.
    const isOurs = answer === undefined ? feed.isStarved : answer.complete || answer.readableLength > 0;
    if (isOurs) request.socket?.setTimeout(bodyTimeout);
    else end(timeout("nothing arrived in time"));
  });
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => end(timeout("no connection in time")), connectTimeout);
    const clear = (): void => clearTimeout(timer);
    socket.once("encrypted" in socket ? "secureConnect" : "connect", clear);
    request.once("close", clear);
  });
}

function timeout(message: string): Error {
  return Object.assign(new Error(message), { code: "ETIMEDOUT" });
}

/** Writes the body of a request as fast as the connection takes it. */
class BodyFeed {
  readonly #request: ClientRequest;
  #wake: () => void = () => {};
  #isStarved = false;

  constructor(request: ClientRequest) {
    this.#request = request;
    request.on("drain", () => this.#wake());
    request.on("close", () => this.#wake());
  }

  /** Whether the connection waits for the body's next chunk. */
  get isStarved(): boolean {
    return this.#isStarved;
  }

  /** Never fails: an error of the body ends the request with it. */
  async send(body: Uint8Array | ByteStream | undefined): Promise<void> {
    const request = this.#request;
    if (body === undefined || body instanceof Uint8Array) {
      request.end(body);
      return;
    }
    try {
      this.#isStarved = true;
      for await (const chunk of body) {
        this.#isStarved = false;
        if (request.destroyed) return;
        if (!request.write(chunk)) await this.#drained();
        this.#isStarved = true;
      }
      request.end();
    } catch (error) {
      request.destroy(error as Error);
    } finally {
      this.#isStarved = false;
    }
  }

  async #drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

async function dump(answer: IncomingMessage, { limit } = { limit: MOST_DUMPED }): Promise<void> {
  if (answer.readableEnded || answer.destroyed) return;
  await new Promise<void>((resolve) => {
    answer.once("end", resolve).once("close", resolve);
    answer.on("error", () => resolve());
    let size = 0;
    answer.on("data", (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size > limit) answer.destroy();
    });
  });
}
