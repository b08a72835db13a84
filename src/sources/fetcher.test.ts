// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpDispatcher } from "../core/http-dispatcher.ts";
import type { ProgressEvent } from "../core/operation.ts";
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

describe("a good server", () => {
  test("gives a read-only file that is found by its content the next time", async () => {
    const fetchFile = fetcher();
    const first = await fetchFile({
      url: `${base}/tool`,
      name: "tool",
      sha256: SHA256,
      size: CONTENT.length,
    });
    expect(await readFile(first.path)).toEqual(CONTENT);
    expect((await stat(first.path)).mode & 0o777).toBe(0o444);
    expect(first.cached).toBe(false);
    const again = await fetchFile({ url: `${base}/elsewhere`, name: "tool", sha256: SHA256 });
    expect(again).toEqual({ ...first, cached: true });
    expect(requests).toHaveLength(1);
  });

  test("is asked once by many callers at once, in two fetchers that share the cache", async () => {
    const fetchers = [fetcher(), fetcher()];
    const files = await Promise.all(
      Array.from(
        { length: 8 },
        async (_, index) =>
          await fetchers[index % 2]?.({ url: `${base}/tool`, name: "tool", sha256: SHA256 }),
      ),
    );
    expect(new Set(files.map((file) => file?.path)).size).toBe(1);
    expect(requests).toHaveLength(1);
  });

  test("reports total and progress in bytes", async () => {
    const events: ProgressEvent[] = [];
    await fetcher()(
      { url: `${base}/tool`, name: "tool", sha256: SHA256 },
      { onProgress: (event) => events.push(event) },
    );
    expect(events[0]).toEqual({ type: "started", what: "tool", total: CONTENT.length });
    expect(events.at(-2)).toEqual({ type: "advanced", what: "tool", done: CONTENT.length });
    expect(events.at(-1)).toEqual({ type: "finished", what: "tool", skipped: false });
  });

  test("may name a file without a digest by a key", async () => {
    const fetchFile = fetcher();
    const request = { url: `${base}/list`, name: "list", cacheKey: "list of today" };
    const first = await fetchFile(request);
    expect(first.sha256).toBe(SHA256);
    expect((await fetchFile(request)).cached).toBe(true);
    expect((await fetchFile({ url: `${base}/list`, name: "list" })).cached).toBe(false);
  });

  test("is trusted no more than the file on disk: one that was edited is fetched again", async () => {
    const fetchFile = fetcher();
    const { path } = await fetchFile({ url: `${base}/tool`, name: "tool", sha256: SHA256 });
    await chmod(path, 0o644);
    await writeFile(path, "edited");
    expect(
      await readFile((await fetchFile({ url: `${base}/tool`, name: "tool", sha256: SHA256 })).path),
    ).toEqual(CONTENT);
  });
});

describe("a connection that breaks", () => {
  test.each([1, 17, 4096, 100_000, CONTENT.length - 1])(
    "after %i bytes is taken up where it stopped",
    async (at) => {
      answer = (request, response, count) => {
        if (count > 1) return serveRange(request, response);
        cutAfter(response, at);
      };
      const file = await fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 });
      expect(await readFile(file.path)).toEqual(CONTENT);
      expect(requests).toHaveLength(2);
    },
  );

  test("for good gives DOWNLOAD_TRUNCATED after five tries, and shows nothing", async () => {
    answer = (_request, response) => cutAfter(response, 1000);
    await expect(fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 })).rejects.toMatchObject({
      code: "DOWNLOAD_TRUNCATED",
      message: expect.stringContaining('"tool"') as string,
    });
    expect(requests).toHaveLength(5);
    expect(await published()).toEqual([]);
    answer = serveRange;
    expect((await fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 })).sha256).toBe(SHA256);
  });

  test("is seen when the server ends in good order but too early", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { "transfer-encoding": "chunked" });
      response.end(CONTENT.subarray(0, 1000));
    };
    await expect(
      fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256, size: CONTENT.length }),
    ).rejects.toMatchObject({ code: "DOWNLOAD_TRUNCATED" });
  });

  test("is seen when no byte comes any more", async () => {
    answer = (request, response, count) => {
      if (count > 1) return serveRange(request, response);
      response.writeHead(200, { "content-length": CONTENT.length });
      response.write(CONTENT.subarray(0, 500));
    };
    const file = await fetcher({ idleTimeout: 200 })({ url: `${base}/tool`, name: "tool", sha256: SHA256 });
    expect(file.sha256).toBe(SHA256);
    expect(requests[1]?.headers.range).toBe("bytes=500-");
  });

  test("leaves a part that the next run goes on from", async () => {
    const stop = new AbortController();
    answer = (_request, response) => {
      response.writeHead(200, { "content-length": CONTENT.length });
      response.write(CONTENT.subarray(0, 50_000));
    };
    const onProgress = (event: ProgressEvent): void => {
      if (event.type === "advanced" && event.done === 50_000) stop.abort(new Error("enough"));
    };
    const request = { url: `${base}/tool`, name: "tool", sha256: SHA256 };
    await expect(fetcher()(request, { signal: stop.signal, onProgress })).rejects.toThrow("enough");
    answer = serveRange;
    await fetcher()(request);
    expect(requests[1]?.headers.range).toBe("bytes=50000-");
  });
});

describe("a server that does ranges wrongly", () => {
  test("200 to a range starts over", async () => {
    answer = (_request, response, count) =>
      count === 1 ? cutAfter(response, 5000) : serveWhole(_request, response);
    expect((await fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 })).sha256).toBe(SHA256);
  });

  test("206 from another offset is never spliced", async () => {
    answer = (request, response, count) => {
      if (count === 1) return cutAfter(response, 5000);
      if (count > 2) return serveRange(request, response);
      response.writeHead(206, { "content-range": `bytes 0-${CONTENT.length - 1}/${CONTENT.length}` });
      response.end(CONTENT);
    };
    expect((await fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 })).sha256).toBe(SHA256);
    expect(requests).toHaveLength(3);
  });

  test("416 starts over", async () => {
    answer = (request, response, count) => {
      if (count === 1) return cutAfter(response, 5000);
      if (request.headers.range === undefined) return serveWhole(request, response);
      response.writeHead(416).end();
    };
    expect((await fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 })).sha256).toBe(SHA256);
  });

  test("a part of another file costs one more download, not the right result", async () => {
    answer = (request, response, count) => {
      if (count > 1) return serveRange(request, response);
      response.writeHead(200, { "content-length": CONTENT.length });
      response.write(Buffer.alloc(5000), () => response.socket?.destroySoon());
    };
    expect((await fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 })).sha256).toBe(SHA256);
  });
});

describe("a server with other content", () => {
  test("gives CHECKSUM_MISMATCH with both digests, after one more try from the start", async () => {
    const other = Buffer.from("other bytes");
    answer = (_request, response) => response.end(other);
    const found = createHash("sha256").update(other).digest("hex");
    const failure = await failureOf(fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 }));
    expect(failure).toMatchObject({ code: "CHECKSUM_MISMATCH" });
    expect(failure.message).toContain(SHA256);
    expect(failure.message).toContain(found);
    expect(requests).toHaveLength(2);
    expect(await published()).toEqual([]);
  });

  test("is stopped at once when its length cannot be right", async () => {
    const wrong = { url: `${base}/tool`, name: "tool", sha256: SHA256, size: CONTENT.length - 1 };
    await expect(fetcher()(wrong)).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
    expect(requests).toHaveLength(1);
  });

  test("is stopped when it never ends", async () => {
    answer = (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    };
    const failure = await failureOf(fetcher()({ url: `${base}/tool`, name: "tool", maxSize: 500_000 }));
    expect(failure).toMatchObject({ code: "SIZE_MISMATCH" });
  });

  test.each([
    ["by its type", { "content-type": "text/html; charset=utf-8" }],
    ["by its first bytes", {}],
  ])("that is a web page is recognised %s", async (_, headers) => {
    answer = (_request, response) => {
      response.writeHead(200, headers);
      response.end("\n<!DOCTYPE html><title>Sign in</title>");
    };
    const failure = await failureOf(fetcher()({ url: `${base}/tool`, name: "tool", sha256: SHA256 }));
    expect(failure).toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringContaining("web page") as string,
    });
  });
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

function cutAfter(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { "content-length": CONTENT.length });
  response.write(CONTENT.subarray(0, bytes), () => response.socket?.destroySoon());
}

async function published(): Promise<string[]> {
  return await readdir(join(cacheDir, "files", "sha256")).catch(() => []);
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return await work.then(
    () => {
      throw new Error("it was accepted");
    },
    (error: unknown) => error as Error,
  );
}
