// SPDX-License-Identifier: Apache-2.0
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

let server: ContentServer;
beforeEach(async () => {
  server = await openContentServer();
});
afterEach(() => server.close());

describe("statuses", () => {
  test.each([
    [404, "FILE_NOT_FOUND", 1],
    [410, "FILE_NOT_FOUND", 1],
    [403, "DOWNLOAD_FAILED", 1],
    [503, "DOWNLOAD_FAILED", 5],
    [429, "DOWNLOAD_FAILED", 5],
  ])("%i gives %s after %i requests", async (status, code, count) => {
    server.answer = (_request, response) => response.writeHead(status).end("no");
    await expect(server.fetcher()({ url: `${server.base}/tool`, name: "tool" })).rejects.toMatchObject({
      code,
    });
    expect(server.requests).toHaveLength(count);
  });

  test("a busy server is asked again when it said so, and the user is told", async () => {
    const notes: string[] = [];
    server.answer = (request, response, count) =>
      count === 1 ? response.writeHead(503, { "retry-after": "1" }).end() : serveWhole(request, response);
    await server.fetcher()(
      { url: `${server.base}/tool`, name: "tool", sha256: SHA256 },
      { onProgress: (event) => event.type === "noted" && notes.push(event.note) },
    );
    expect(notes[0]).toContain("asks to wait");
  });
});

describe("redirects", () => {
  test("are followed, and credentials of the address stay with its origin", async () => {
    const other = await openContentServer();
    try {
      const target = `${other.base}/real`;
      server.answer = (_request, response) => response.writeHead(302, { location: target }).end();
      const url = `${server.base.replace("//", "//user:s%40cret@")}/tool`;
      await server.fetcher()({ url, name: "tool", sha256: SHA256 });
      const sent = `Basic ${Buffer.from("user:s@cret").toString("base64")}`;
      expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([sent]);
      expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    } finally {
      await other.close();
    }
  });

  test("without end are refused", async () => {
    server.answer = (_request, response) => response.writeHead(302, { location: "/again" }).end();
    await expect(server.fetcher()({ url: `${server.base}/tool`, name: "tool" })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
    });
    expect(server.requests).toHaveLength(11);
  });

  test("to something that is not the web are refused", async () => {
    server.answer = (_request, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end();
    await expect(server.fetcher()({ url: `${server.base}/tool`, name: "tool" })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
    });
  });
});

test("a server that is not there gives NETWORK_UNREACHABLE, without credentials in the message", async () => {
  const other = await openContentServer();
  await other.close();
  const gone = other.base.replace("//", "//user:secret@");
  const failure = await failureOf(server.fetcher()({ url: `${gone}/tool?token=secret`, name: "tool" }));
  expect(failure).toMatchObject({ code: "NETWORK_UNREACHABLE" });
  expect(failure.message).not.toContain("secret");
});

test("an abort ends the download with the caller's reason", async () => {
  const stop = new AbortController();
  server.answer = (_request, response) => {
    response.writeHead(200, { "content-length": CONTENT.length });
    response.write(CONTENT.subarray(0, 1000), () => stop.abort(new Error("enough")));
  };
  const fetching = server.fetcher()(
    { url: `${server.base}/tool`, name: "tool", sha256: SHA256 },
    { signal: stop.signal },
  );
  await expect(fetching).rejects.toThrow("enough");
  server.answer = serveRange;
  expect((await server.fetcher()({ url: `${server.base}/tool`, name: "tool", sha256: SHA256 })).sha256).toBe(
    SHA256,
  );
});
