// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { forEachConcurrently } from "../../src/core/concurrency.ts";
import { digestOf, EMPTY_DESCRIPTOR } from "../../src/oci/index.ts";
import {
  type RegistryServer,
  startRegistryServer,
  type StartRegistryServerOptions,
} from "../../src/registry/index.ts";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";
import { RawRegistry } from "../support/raw-registry.ts";

let folder: TemporaryFolder;
let server: RegistryServer | undefined;
const faults: unknown[] = [];
const raw = new RawRegistry(() => server?.url ?? "");

beforeEach(async () => {
  folder = await makeFolder("abuse");
  faults.length = 0;
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await folder.remove();
});

describe("abuse of HTTP", () => {
  test.each([
    "/v2/a/../../etc/passwd",
    "/v2/%2e%2e/%2e%2e/etc/blobs/x",
    "/v2/a%2fb/tags/list",
    "/v2/a%00b/tags/list",
    "/v2/_uploads/tags/list",
    "/v2/A/tags/list",
    `/v2/${"a/".repeat(300)}tags/list`,
    `/v2/${"a-".repeat(7000)}/tags/list`,
    `/v2/a/manifests/${"x".repeat(200)}`,
    "/v2/a/blobs/md5:d41d8cd98f00b204e9800998ecf8427e",
    `/v2/a/blobs/sha256:${"A".repeat(64)}`,
    `/v2/a/blobs/sha256:${"a".repeat(63)}`,
    "/v2/a/blobs/sha256:../../../../etc/passwd",
    "//v2/a/tags/list",
    "/v2/a/blobs/uploads/../../../x",
  ])("%s is refused, at once, and is no fault of the server", async (path) => {
    await start();
    const began = performance.now();
    const status = await statusOf(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    expect(status).toMatch(/^4\d\d$/);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(faults).toEqual([]);
    expect(await readdir(join(folder.path, "repositories")).catch(() => [])).toEqual([]);
  });

  test.each([
    ["no HTTP", "\u0000\u0001\u0002garbage\r\n\r\n"],
    [
      "two lengths",
      "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
    [
      "a length and chunks",
      "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [
      "a negative length",
      "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    ],
    ["no host", "GET /v2/ HTTP/1.1\r\n\r\n"],
    ["another host", "GET /v2/ HTTP/1.1\r\nHost: registry.example.com\r\nConnection: close\r\n\r\n"],
    ["thousands of headers", `GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1\r\n${"X-A: b\r\n".repeat(9000)}\r\n`],
  ])("%s: refused, and the next request is served", async (_, bytes) => {
    await start();
    expect(await statusOf(bytes)).toMatch(/^4\d\d$/);
    await raw.ask("GET", "/v2/", 200);
    expect(faults).toEqual([]);
  });

  test("five hundred clients that send a line and no more do not keep others out", async () => {
    await start({ idleTimeout: 1000 });
    const sockets = Array.from({ length: 500 }, () => {
      const socket = createConnection(server?.port ?? 0, "127.0.0.1");
      socket.on("error", () => undefined).write("GET /v2/ HTTP/1.1\r\nHost:");
      return socket;
    });
    await raw.ask("GET", "/v2/", 200);
    await expect
      .poll(() => sockets.filter(({ destroyed }) => !destroyed).length, { timeout: 15_000 })
      .toBe(0);
  });

  test(
    "ten thousand open uploads are not: the rest is told to wait, and memory stays small",
    { timeout: 60_000 },
    async () => {
      await start();
      const before = process.memoryUsage().rss;
      const seen = new Map<number, number>();
      await forEachConcurrently(Array.from({ length: 10_000 }).keys(), { limit: 50 }, async () => {
        const { status } = await fetch(`${server?.url}/v2/a/blobs/uploads/`, { method: "POST" });
        seen.set(status, (seen.get(status) ?? 0) + 1);
      });
      expect(seen).toEqual(
        new Map([
          [202, 1000],
          [429, 9000],
        ]),
      );
      expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
      expect(await readdir(join(folder.path, "uploads"))).toHaveLength(1000);
      await raw.ask("GET", "/v2/", 200);
    },
  );
});

describe("a folder that a crash, or somebody, has broken", () => {
  const digest = digestOf("x").slice(7);
  const repository = join("repositories", "a");

  test.each([
    ["a tag cut short", join(repository, "_tags", "v2"), '{"tag":"v2","dig'],
    ["an empty tag", join(repository, "_tags", "v2"), ""],
    [
      "a tag of a manifest that is gone",
      join(repository, "_tags", "v2"),
      JSON.stringify({ tag: "v2", digest: `sha256:${digest}` }),
    ],
    ["an empty manifest", join(repository, "_manifests", "sha256", digest), ""],
    [
      "a manifest with a broken head",
      join(repository, "_manifests", "sha256", digestOf("{}").slice(7)),
      '{"media\n{}',
    ],
    ["a file that belongs nowhere", join(repository, "_manifests", "sha256", "notes.txt"), "notes"],
    ["a referrer cut short", join(repository, "_referrers", "sha256", digest, `sha256-${digest}`), '{"medi'],
    ["an upload", join("uploads", "0000"), "bytes"],
    ["a draft", join("temporary", "0000"), "bytes"],
    ["a stray blob", join("blobs", "sha256", "zz", "stray"), "bytes"],
    [
      "a lock of a process that is gone",
      "registry.lock",
      JSON.stringify({ pid: 2 ** 22 + 1, started: "1", host: hostname(), id: "x" }),
    ],
  ])("%s: the rest is served, and what is pushed now is kept", async (_, path, content) => {
    await start();
    const good = await raw.pushManifest("a", "v1");
    await server?.close();
    await mkdir(join(folder.path, path, ".."), { recursive: true });
    await writeFile(join(folder.path, path), content);
    await start();
    await raw.ask("GET", "/v2/a/manifests/v1", 200);
    await raw.ask("GET", "/v2/a/manifests/v2", 404);
    await raw.ask("GET", `/v2/a/manifests/sha256:${digest}`, 404);
    await raw.ask("GET", `/v2/a/manifests/${digestOf("{}")}`, 404);
    await raw.ask("GET", `/v2/a/referrers/sha256:${digest}`, 200);
    await raw.ask("GET", "/v2/a/tags/list", 200);
    await server?.collectGarbage({ grace: -1 });
    const next = await raw.pushManifest("a", "v2", { annotations: { next: "1" } });
    expect((await raw.ask("GET", "/v2/a/manifests/v2", 200)).body).toEqual(next.bytes);
    await raw.ask("GET", `/v2/a/manifests/${good.digest}`, 200);
    expect(faults).toEqual([]);
  });

  test("a blob that is gone is not there, and comes back with the next push", async () => {
    await start();
    await raw.pushManifest("a", "v1");
    await server?.close();
    await rm(join(folder.path, repository, "_blobs"), { recursive: true });
    await rm(join(folder.path, "blobs"), { recursive: true });
    await start();
    await raw.ask("GET", `/v2/a/blobs/${EMPTY_DESCRIPTOR.digest}`, 404);
    await raw.pushManifest("a", "v1");
    await raw.ask("GET", `/v2/a/blobs/${EMPTY_DESCRIPTOR.digest}`, 200);
    expect(faults).toEqual([]);
  });
});

async function start(options: Partial<StartRegistryServerOptions> = {}): Promise<void> {
  server = await startRegistryServer({
    folder: folder.path,
    stopTimeout: 100,
    onFault: keepFault,
    ...options,
  });
}

function keepFault(error: unknown): void {
  faults.push(error);
}

/** Sends these bytes and nothing else; gives the status of the answer, or `closed`. */
async function statusOf(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(server?.port ?? 0, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? "closed"));
    socket.write(bytes, "latin1");
  });
}
