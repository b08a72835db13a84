// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpDispatcher } from "../core/http-dispatcher.ts";
import { createFetcher, type FetcherOptions } from "./fetcher.ts";
import type { FetchFile } from "./fetch-file.ts";

const CONTENT = randomBytes(300_000);
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

let cacheDir: string;
let server: Server;
let base: string;
let answer: Answer;
let requests: IncomingMessage[];

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "fetcher-"));
  requests = [];
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  answer = serveWhole;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cacheDir, { recursive: true, force: true });
});

describe("statuses", () => {
  test.each([
    [404, "FILE_NOT_FOUND", 1],
    [410, "FILE_NOT_FOUND", 1],
    [403, "DOWNLOAD_FAILED", 1],
    [503, "DOWNLOAD_FAILED", 5],
    [429, "DOWNLOAD_FAILED", 5],
  ])("%i gives %s after %i requests", async (status, code, count) => {
    answer = (_request, response) => response.writeHead(status).end("no");
    await expect(fetcher()({ url: `${base}/tool`, name: "tool" })).rejects.toMatchObject({ code });
    expect(requests).toHaveLength(count);
  });

  test("a busy server is asked again when it said so, and the user is told", async () => {
    const notes: string[] = [];
    answer = (request, response, count) =>
      count === 1 ? response.writeHead(503, { "retry-after": "1" }).end() : serveWhole(request, response);
    await fetcher()(
      { url: `${base}/tool`, name: "tool", sha256: SHA256 },
      { onProgress: (event) => event.type === "noted" && notes.push(event.note) },
    );
    expect(notes[0]).toContain("asks to wait");
  });
});

describe("redirects", () => {
  test("are followed, and credentials of the address stay with its origin", async () => {
    const other = createServer((request, response) => {
      requests.push(request);
      response.end(CONTENT);
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    try {
      const target = `http://127.0.0.1:${(other.address() as AddressInfo).port}/real`;
      answer = (_request, response) => response.writeHead(302, { location: target }).end();
      const url = `${base.replace("//", "//user:s%40cret@")}/tool`;
      await fetcher()({ url, name: "tool", sha256: SHA256 });
      const sent = `Basic ${Buffer.from("user:s@cret").toString("base64")}`;
      expect(requests.map(({ headers }) => headers.authorization)).toEqual([sent, undefined]);
    } finally {
      other.closeAllConnections();
      other.close();
    }
  });

  test("without end are refused", async () => {
    answer = (_request, response) => response.writeHead(302, { location: "/again" }).end();
    await expect(fetcher()({ url: `${base}/tool`, name: "tool" })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
    });
    expect(requests).toHaveLength(11);
  });

  test("to something that is not the web are refused", async () => {
    answer = (_request, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end();
    await expect(fetcher()({ url: `${base}/tool`, name: "tool" })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
    });
  });
});

test("a server that is not there gives NETWORK_UNREACHABLE, without credentials in the message", async () => {
  const gone = base.replace("//", "//user:secret@");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const failure = await failureOf(fetcher()({ url: `${gone}/tool?token=secret`, name: "tool" }));
  expect(failure).toMatchObject({ code: "NETWORK_UNREACHABLE" });
  expect(failure.message).not.toContain("secret");
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

test("an abort ends the download with the caller's reason", async () => {
  const stop = new AbortController();
  answer = (_request, response) => {
    response.writeHead(200, { "content-length": CONTENT.length });
    response.write(CONTENT.subarray(0, 1000), () => stop.abort(new Error("enough")));
  };
  const fetching = fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 }, { signal: stop.signal });
  await expect(fetching).rejects.toThrow("enough");
  answer = serveRange;
  expect((await fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 })).sha256).toBe(SHA256);
});

function fetcher(options: Partial<FetcherOptions> = {}): FetchFile {
  const dispatcher = createHttpDispatcher();
  return createFetcher({ cacheDir, dispatcher, now: () => new Date(), longestDelay: 1, ...options });
}

function serveWhole(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-length": CONTENT.length });
  response.end(CONTENT);
}

function serveRange(request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? Number.NaN);
  if (Number.isNaN(from)) return serveWhole(request, response);
  const range = `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`;
  response.writeHead(206, { "content-range": range, "content-length": CONTENT.length - from });
  response.end(CONTENT.subarray(from));
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return await work.then(
    () => {
      throw new Error("it was accepted");
    },
    (error: unknown) => error as Error,
  );
}
