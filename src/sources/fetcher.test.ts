// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { type ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  CONTENT,
  type ContentServer,
  failureOf,
  openContentServer,
  serveRange,
  serveWhole,
  SHA256,
} from "../../test/support/content-server.ts";
import type { ProgressEvent } from "../core/operation.ts";

let server: ContentServer;
beforeEach(async () => {
  server = await openContentServer();
});
afterEach(() => server.close());

describe("a good server", () => {
  test("gives a read-only file that is found by its content the next time", async () => {
    const fetchFile = server.fetcher();
    const first = await fetchFile({
      url: `${server.base}/tool`,
      name: "tool",
      sha256: SHA256,
      size: CONTENT.length,
    });
    expect(await readFile(first.path)).toEqual(CONTENT);
    expect((await stat(first.path)).mode & 0o777).toBe(0o444);
    expect(first.cached).toBe(false);
    const again = await fetchFile({ url: `${server.base}/elsewhere`, name: "tool", sha256: SHA256 });
    expect(again).toEqual({ ...first, cached: true });
    expect(server.requests).toHaveLength(1);
  });

  test("is asked once by many callers at once, in two fetchers that share the cache", async () => {
    const fetchers = [server.fetcher(), server.fetcher()];
    const files = await Promise.all(
      Array.from(
        { length: 8 },
        async (_, index) =>
          await fetchers[index % 2]?.({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 }),
      ),
    );
    expect(new Set(files.map((file) => file?.path)).size).toBe(1);
    expect(server.requests).toHaveLength(1);
  });

  test("gives a file that is known by its sha512, and finds it again by that", async () => {
    const integrity = `sha512-${createHash("sha512").update(CONTENT).digest("base64")}`;
    const request = { url: `${server.base}/tool`, name: "tool", integrity };
    const first = await server.fetcher()(request);
    expect(await readFile(first.path)).toEqual(CONTENT);
    expect(await server.fetcher()(request)).toEqual({ ...first, cached: true });
    const other = { ...request, integrity: `sha512-${"A".repeat(86)}==` };
    expect(await failureOf(server.fetcher()(other))).toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });

  test("reports total and progress in bytes", async () => {
    const events: ProgressEvent[] = [];
    await server.fetcher()(
      { url: `${server.base}/tool`, name: "tool", sha256: SHA256 },
      { onProgress: (event) => events.push(event) },
    );
    expect(events[0]).toEqual({ type: "started", what: "tool", total: CONTENT.length });
    expect(events.at(-2)).toEqual({ type: "advanced", what: "tool", done: CONTENT.length });
    expect(events.at(-1)).toEqual({ type: "finished", what: "tool", skipped: false });
  });

  test("may name a file without a digest by a key", async () => {
    const fetchFile = server.fetcher();
    const request = { url: `${server.base}/list`, name: "list", cacheKey: "list of today" };
    const first = await fetchFile(request);
    expect(first.sha256).toBe(SHA256);
    expect((await fetchFile(request)).cached).toBe(true);
    expect((await fetchFile({ url: `${server.base}/list`, name: "list" })).cached).toBe(false);
  });

  test("is trusted no more than the file on disk: one that was edited is fetched again", async () => {
    const fetchFile = server.fetcher();
    const { path } = await fetchFile({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 });
    await chmod(path, 0o644);
    await writeFile(path, "edited");
    expect(
      await readFile((await fetchFile({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 })).path),
    ).toEqual(CONTENT);
  });
});

describe("a connection that breaks", () => {
  test.each([1, 17, 4096, 100_000, CONTENT.length - 1])(
    "after %i bytes is taken up where it stopped",
    async (at) => {
      server.answer = (request, response, count) => {
        if (count > 1) return serveRange(request, response);
        cutAfter(response, at);
      };
      const file = await server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 });
      expect(await readFile(file.path)).toEqual(CONTENT);
      expect(server.requests).toHaveLength(2);
    },
  );

  test("for good gives DOWNLOAD_TRUNCATED after five tries, and shows nothing", async () => {
    server.answer = (_request, response) => cutAfter(response, 1000);
    await expect(
      server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 }),
    ).rejects.toMatchObject({
      code: "DOWNLOAD_TRUNCATED",
      message: expect.stringContaining('"tool"') as string,
    });
    expect(server.requests).toHaveLength(5);
    expect(await published()).toEqual([]);
    server.answer = serveRange;
    expect(
      (await server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 })).sha256,
    ).toBe(SHA256);
  });

  test("is seen when the server ends in good order but too early", async () => {
    server.answer = (_request, response) => {
      response.writeHead(200, { "transfer-encoding": "chunked" });
      response.end(CONTENT.subarray(0, 1000));
    };
    await expect(
      server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256, size: CONTENT.length }),
    ).rejects.toMatchObject({ code: "DOWNLOAD_TRUNCATED" });
  });

  test("is seen when no byte comes any more", async () => {
    server.answer = (request, response, count) => {
      if (count > 1) return serveRange(request, response);
      response.writeHead(200, { "content-length": CONTENT.length });
      response.write(CONTENT.subarray(0, 500));
    };
    const file = await server.fetcher({ idleTimeout: 200 })({
      url: `${server.base}/tool`,
      name: "tool",
      sha256: SHA256,
    });
    expect(file.sha256).toBe(SHA256);
    expect(server.requests[1]?.headers.range).toBe("bytes=500-");
  });

  test("leaves a part that the next run goes on from", async () => {
    const stop = new AbortController();
    server.answer = (_request, response) => {
      response.writeHead(200, { "content-length": CONTENT.length });
      response.write(CONTENT.subarray(0, 50_000));
    };
    const onProgress = (event: ProgressEvent): void => {
      if (event.type === "advanced" && event.done === 50_000) stop.abort(new Error("enough"));
    };
    const request = { url: `${server.base}/tool`, name: "tool", sha256: SHA256 };
    await expect(server.fetcher()(request, { signal: stop.signal, onProgress })).rejects.toThrow("enough");
    server.answer = serveRange;
    await server.fetcher()(request);
    expect(server.requests[1]?.headers.range).toBe("bytes=50000-");
  });
});

describe("a server that does ranges wrongly", () => {
  test("200 to a range starts over", async () => {
    server.answer = (_request, response, count) =>
      count === 1 ? cutAfter(response, 5000) : serveWhole(_request, response);
    expect(
      (await server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 })).sha256,
    ).toBe(SHA256);
  });

  test("206 from another offset is never spliced", async () => {
    server.answer = (request, response, count) => {
      if (count === 1) return cutAfter(response, 5000);
      if (count > 2) return serveRange(request, response);
      response.writeHead(206, { "content-range": `bytes 0-${CONTENT.length - 1}/${CONTENT.length}` });
      response.end(CONTENT);
    };
    expect(
      (await server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 })).sha256,
    ).toBe(SHA256);
    expect(server.requests).toHaveLength(3);
  });

  test("416 starts over", async () => {
    server.answer = (request, response, count) => {
      if (count === 1) return cutAfter(response, 5000);
      if (request.headers.range === undefined) return serveWhole(request, response);
      response.writeHead(416).end();
    };
    expect(
      (await server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 })).sha256,
    ).toBe(SHA256);
  });

  test("a part of another file costs one more download, not the right result", async () => {
    server.answer = (request, response, count) => {
      if (count > 1) return serveRange(request, response);
      response.writeHead(200, { "content-length": CONTENT.length });
      response.write(Buffer.alloc(5000), () => response.socket?.destroySoon());
    };
    expect(
      (await server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 })).sha256,
    ).toBe(SHA256);
  });
});

describe("a server with other content", () => {
  test("gives CHECKSUM_MISMATCH with both digests, after one more try from the start", async () => {
    const other = Buffer.from("other bytes");
    server.answer = (_request, response) => response.end(other);
    const found = createHash("sha256").update(other).digest("hex");
    const failure = await failureOf(
      server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 }),
    );
    expect(failure).toMatchObject({ code: "CHECKSUM_MISMATCH" });
    expect(failure.message).toContain(SHA256);
    expect(failure.message).toContain(found);
    expect(server.requests).toHaveLength(2);
    expect(await published()).toEqual([]);
  });

  test("is stopped at once when its length cannot be right", async () => {
    const wrong = { url: `${server.base}/tool`, name: "tool", sha256: SHA256, size: CONTENT.length - 1 };
    await expect(server.fetcher()(wrong)).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
    expect(server.requests).toHaveLength(1);
  });

  test("is stopped when it never ends", async () => {
    server.answer = (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    };
    const failure = await failureOf(
      server.fetcher()({ url: `${server.base}/tool`, name: "tool", maxSize: 500_000 }),
    );
    expect(failure).toMatchObject({ code: "SIZE_MISMATCH" });
  });

  test.each([
    ["by its type", { "content-type": "text/html; charset=utf-8" }],
    ["by its first bytes", {}],
  ])("that is a web page is recognised %s", async (_, headers) => {
    server.answer = (_request, response) => {
      response.writeHead(200, headers);
      response.end("\n<!DOCTYPE html><title>Sign in</title>");
    };
    const failure = await failureOf(
      server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 }),
    );
    expect(failure).toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringContaining("web page") as string,
    });
  });
});

function cutAfter(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { "content-length": CONTENT.length });
  response.write(CONTENT.subarray(0, bytes), () => response.socket?.destroySoon());
}

async function published(): Promise<string[]> {
  return await readdir(join(server.cacheDir, "files", "sha256")).catch(() => []);
}
