// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpDispatcher } from "../../src/core/http-dispatcher.ts";
import { createFetcher, type FetcherOptions } from "../../src/sources/fetcher.ts";
import type { FetchFile } from "../../src/sources/fetch-file.ts";

/** What there is to download. */
export const CONTENT: Buffer = randomBytes(300_000);

/** Its digest, hex. */
export const SHA256: string = createHash("sha256").update(CONTENT).digest("hex");

/** How a server behaves. `count` is 1 for the first request. */
export type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server of one file that behaves as it is told, and an empty cache to download into. */
export interface ContentServer {
  readonly base: string;
  readonly cacheDir: string;
  readonly requests: readonly IncomingMessage[];
  /** Starts as {@link serveWhole}. */
  answer: Answer;
  fetcher(options?: Partial<FetcherOptions>): FetchFile;
  close(): Promise<void>;
}

/** Starts one on loopback. */
export async function openContentServer(): Promise<ContentServer> {
  const cacheDir = await mkdtemp(join(tmpdir(), "fetcher-"));
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    opened.answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const opened: ContentServer = {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cacheDir,
    requests,
    answer: serveWhole,
    fetcher(options = {}) {
      const dispatcher = createHttpDispatcher();
      return createFetcher({ cacheDir, dispatcher, now: () => new Date(), longestDelay: 1, ...options });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
  return opened;
}

/** Gives everything, whatever was asked for. */
export function serveWhole(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-length": CONTENT.length });
  response.end(CONTENT);
}

/** Gives what is left where that is asked for. */
export function serveRange(request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? Number.NaN);
  if (Number.isNaN(from)) return serveWhole(request, response);
  const range = `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`;
  response.writeHead(206, { "content-range": range, "content-length": CONTENT.length - from });
  response.end(CONTENT.subarray(from));
}

/** The error of work that must fail. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  return await work.then(
    () => {
      throw new Error("it was accepted");
    },
    (error: unknown) => error as Error,
  );
}
