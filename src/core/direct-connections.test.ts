// SPDX-License-Identifier: Apache-2.0
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { collectBytes } from "./byte-stream.ts";
import { createHttpDispatcher } from "./http-dispatcher.ts";
import type { HttpAnswer, HttpRequestOptions } from "./http-message.ts";

const dispatcher = createHttpDispatcher();
let server: Server | undefined;
let connections = 0;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

describe("an answer", () => {
  test("keeps the values of a header that came twice apart", async () => {
    const { headers } = await ask((_, response) => response.setHeader("warning", ["a", "b"]).end());
    expect(headers["warning"]).toEqual(["a", "b"]);
  });

  test("that stands still is an error, however much has come", async () => {
    const { body } = await ask((_, response) => response.writeHead(200).write("some"), { bodyTimeout: 100 });
    await expect(collectBytes(body)).rejects.toMatchObject({ code: "ETIMEDOUT" });
  });

  test("does not stand still while its reader takes its time", async () => {
    const content = Buffer.alloc(5_000_000, "x");
    const { body } = await ask((_, response) => response.end(content), { bodyTimeout: 1000 });
    await pause(2500);
    expect(await collectBytes(body)).toHaveLength(content.byteLength);
  });

  test("that breaks off is an error", async () => {
    const { body } = await ask((_, response) => {
      response.writeHead(200, { "content-length": 10 });
      response.write("some", () => response.destroy());
    });
    await expect(collectBytes(body)).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("ends with the reason of an abort", async () => {
    const controller = new AbortController();
    const { body } = await ask((_, response) => response.writeHead(200).write("some"), {
      signal: controller.signal,
    });
    controller.abort(new Error("enough"));
    await expect(collectBytes(body)).rejects.toThrow("enough");
  });

  test("keeps its bytes while others arrive", async () => {
    const contents = ["a", "b", "c"].map((letter) => Buffer.alloc(5_000_000, letter));
    let next = 0;
    const first = await ask((_, response) => response.end(contents[next++]));
    const answers = [first, await askAgain("/"), await askAgain("/")];
    const bodies = await Promise.all(answers.map(async ({ body }) => collectBytes(body)));
    for (const [index, content] of contents.entries()) expect(content.equals(bodies[index]!)).toBe(true);
  });

  test("that is dumped leaves its connection for the next request, unless it is long", async () => {
    await (await ask(sendMuchOrLittle)).body.dump();
    await (await askAgain("/")).body.dump();
    expect(connections).toBe(1);
    await (await askAgain("/long")).body.dump();
    await (await askAgain("/")).body.dump();
    expect(connections).toBe(2);
  });
});

describe("a request", () => {
  test("that nobody answers is an error", async () => {
    await expect(ask(() => {}, { headersTimeout: 100 })).rejects.toMatchObject({ code: "ETIMEDOUT" });
  });

  test("waits for a body that is slow to come", async () => {
    const { body } = await ask((request, response) => request.pipe(response), {
      method: "PUT",
      body: slow(),
      headersTimeout: 100,
      bodyTimeout: 10_000,
    });
    expect(String(Buffer.from(await collectBytes(body)))).toBe("ab");
  });

  test("gets an answer that comes before its body is sent", async () => {
    const answer = await ask((_, response) => response.writeHead(413).end("no"), {
      method: "PUT",
      body: endless(),
    });
    expect(answer.statusCode).toBe(413);
    expect(String(Buffer.from(await collectBytes(answer.body)))).toBe("no");
  });

  test("fails with what its body throws", async () => {
    await expect(ask(() => {}, { method: "PUT", body: broken() })).rejects.toThrow("the source broke");
  });
});

async function ask(
  listener: RequestListener,
  options: Partial<HttpRequestOptions> = {},
): Promise<HttpAnswer> {
  connections = 0;
  server = createServer(listener).on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => {
    server?.listen(0, "127.0.0.1", resolve);
  });
  return askAgain("/", options);
}

async function askAgain(path: string, options: Partial<HttpRequestOptions> = {}): Promise<HttpAnswer> {
  const address = server === undefined ? null : server.address();
  const { port } = address as AddressInfo;
  const url = new URL(path, `http://127.0.0.1:${port}`);
  const patience = { headersTimeout: 10_000, bodyTimeout: 10_000 };
  return dispatcher.request(url, { method: "GET", headers: {}, ...patience, ...options });
}

async function* slow(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("a");
  await pause(400);
  yield Buffer.from("b");
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield Buffer.alloc(65_536);
    await pause(1);
  }
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("a");
  throw new Error("the source broke");
}

function sendMuchOrLittle(request: IncomingMessage, response: ServerResponse): void {
  response.end(Buffer.alloc(request.url === "/long" ? 5_000_000 : 1000));
}
