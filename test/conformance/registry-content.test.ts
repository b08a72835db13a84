// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf, EMPTY_DESCRIPTOR, MEDIA_TYPES } from "../../src/oci/index.ts";
import { RawRegistry } from "../support/raw-registry.ts";
import {
  type RegistryServer,
  startRegistryServer,
  type StartRegistryServerOptions,
} from "../../src/registry/index.ts";

let folder: string;
let server: RegistryServer | undefined;
const raw = new RawRegistry(() => server?.url ?? "");

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-registry-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

describe("blobs", () => {
  test("a blob arrives in chunks, and a chunk out of order changes nothing", async () => {
    await start();
    const bytes = randomBytes(3000);
    const { location } = await raw.ask("POST", "/v2/a/blobs/uploads/", 202);
    await raw.ask("PATCH", location, 202, {
      body: bytes.subarray(0, 1000),
      headers: { "content-range": "0-999" },
    });
    for (const wrong of ["0-999", "2000-2999", "500-1499"]) {
      const size = 1000;
      await raw.ask("PATCH", location, 416, {
        body: bytes.subarray(0, size),
        headers: { "content-range": wrong },
      });
    }
    expect((await raw.ask("GET", location, 204)).headers["range"]).toBe("0-999");
    await raw.ask("PATCH", location, 202, { body: bytes.subarray(1000, 2000) });
    const digest = digestOf(bytes, "sha512");
    const last = { body: bytes.subarray(2000), headers: { "content-range": "2000-2999" } };
    await raw.ask("PUT", `${location}?digest=${digest}`, 201, last);
    expect((await raw.ask("GET", `/v2/a/blobs/${digest}`, 200)).body).toEqual(bytes);
    const part = await raw.ask("GET", `/v2/a/blobs/${digest}`, 206, { headers: { range: "bytes=-10" } });
    expect(part.body).toEqual(bytes.subarray(2990));
    expect(part.headers["content-range"]).toBe("bytes 2990-2999/3000");
  });

  test("nothing is kept of a blob with a wrong digest or size", async () => {
    await start();
    const digest = digestOf("other");
    await raw.ask("POST", `/v2/a/blobs/uploads/?digest=${digest}`, 400, { body: "content" });
    const { location } = await raw.ask("POST", "/v2/a/blobs/uploads/", 202);
    await raw.ask("PUT", `${location}?digest=${digest}`, 400, { body: "content" });
    await raw.ask("GET", location, 404);
    await raw.ask("POST", "/v2/a/blobs/uploads/?digest=md5:0123", 400, { body: "content" });
    await raw.ask("HEAD", `/v2/a/blobs/${digest}`, 404);
    expect(await readdir(join(folder, "uploads"))).toEqual([]);
  });

  test("a client that dies in the middle leaves nothing visible and can go on", async () => {
    await start();
    const { location } = await raw.ask("POST", "/v2/a/blobs/uploads/", 202);
    const socket = connect(server?.port ?? 0, "127.0.0.1");
    socket.write(
      `PATCH ${location} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n${"x".repeat(100)}`,
    );
    await expect
      .poll(
        async () => (await readFile(join(folder, "uploads", location.split("/").at(-1) ?? ""))).byteLength,
        {
          timeout: 5000,
        },
      )
      .toBeGreaterThanOrEqual(0);
    socket.destroy();
    await expect.poll(async () => (await raw.ask("GET", location, 204)).headers["range"]).toBe("0-99");
    const rest = { body: "x".repeat(900), headers: { "content-range": "100-999" } };
    await raw.ask("PUT", `${location}?digest=${digestOf("x".repeat(1000))}`, 201, rest);
  });

  test("a blob is lent by name and by digest alone, until all repositories have deleted it", async () => {
    await start();
    const digest = await raw.pushBlob("a", "content");
    await raw.ask("POST", `/v2/b/blobs/uploads/?mount=${digest}&from=a`, 201);
    await raw.ask("POST", `/v2/c/blobs/uploads/?mount=${digest}`, 201);
    await raw.ask("POST", `/v2/d/blobs/uploads/?mount=${digestOf("no")}&from=a`, 202);
    for (const name of ["a", "b", "c"]) await raw.ask("DELETE", `/v2/${name}/blobs/${digest}`, 202);
    await raw.ask("DELETE", `/v2/a/blobs/${digest}`, 404);
    await raw.ask("POST", `/v2/d/blobs/uploads/?mount=${digest}`, 202);
  });

  test("uploads are limited in number and end when nobody touches them", async () => {
    await start({ maxUploads: 2, uploadTimeout: 20 });
    const first = await raw.ask("POST", "/v2/a/blobs/uploads/", 202);
    await raw.ask("POST", "/v2/a/blobs/uploads/", 202);
    expect((await raw.ask("POST", "/v2/a/blobs/uploads/", 429)).headers["retry-after"]).toMatch(/^\d+$/);
    await expect.poll(async () => (await readdir(join(folder, "uploads"))).length).toBe(0);
    await raw.ask("PATCH", first.location, 404, { body: "late" });
    await raw.ask("POST", "/v2/a/blobs/uploads/", 202);
  });

  test("a blob that comes slowly, in one request, is not taken for one that nobody touches", async () => {
    await start({ uploadTimeout: 20 });
    const content = "slow".repeat(100);
    const path = `/v2/a/blobs/uploads/?digest=${digestOf(content)}`;
    const socket = connect(server?.port ?? 0, "127.0.0.1");
    socket.write(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${content.length}\r\n\r\n`);
    for (let at = 0; at < content.length; at += 40) {
      socket.write(content.slice(at, at + 40));
      // Ten times as long in all as an upload may rest.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    expect(String(answer)).toMatch(/^HTTP\/1\.1 201 /);
    const got = await raw.ask("GET", `/v2/a/blobs/${digestOf(content)}`, 200);
    expect(String(got.body)).toBe(content);
  });

  test("a blob past the limit is refused while it comes", async () => {
    await start({ maxBlobSize: 10 });
    const { location } = await raw.ask("POST", "/v2/a/blobs/uploads/", 202);
    await raw.ask("PATCH", location, 413, { body: "more than ten bytes" });
    expect((await raw.ask("GET", location, 204)).headers["range"]).toBe("0-0");
  });
});

describe("manifests", () => {
  test("bytes, type and unknown members are kept as they came", async () => {
    await start();
    const { bytes, digest } = await raw.pushManifest("a", "v1", { extra: { b: 1, a: [2] } }, "  ");
    const got = await raw.ask("GET", "/v2/a/manifests/v1", 200);
    expect(got.body).toEqual(bytes);
    expect(got.headers).toMatchObject({
      "content-type": MEDIA_TYPES.imageManifest,
      "docker-content-digest": digest,
    });
    const head = await raw.ask("HEAD", `/v2/a/manifests/${digest}`, 200);
    expect(head.headers["content-length"]).toBe(String(bytes.byteLength));
    await raw.ask("GET", "/v2/b/manifests/v1", 404, { code: "NAME_UNKNOWN" });
    await raw.ask("GET", "/v2/a/manifests/v2", 404, { code: "MANIFEST_UNKNOWN" });
  });

  test.each([
    [
      "a type that is not its own",
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: [] }),
    ],
    [
      "both kinds of members",
      JSON.stringify({ schemaVersion: 2, config: EMPTY_DESCRIPTOR, layers: [], manifests: [] }),
    ],
    [
      "a key twice",
      `{"schemaVersion":2,"layers":[],"layers":[],"config":${JSON.stringify(EMPTY_DESCRIPTOR)}}`,
    ],
    ["no JSON", "<html>"],
    ["deep nesting", `{"schemaVersion":2,"x":${"[".repeat(100)}${"]".repeat(100)}}`],
  ])("a manifest with %s is refused", async (_, body) => {
    await start();
    const headers = { "content-type": MEDIA_TYPES.imageManifest };
    await raw.ask("PUT", "/v2/a/manifests/v1", 400, { body, headers, code: "MANIFEST_INVALID" });
  });

  test("a manifest must be small, complete and what its digest says", async () => {
    await start({ maxManifestSize: 2000 });
    const headers = { "content-type": MEDIA_TYPES.imageManifest };
    await raw.ask("PUT", "/v2/a/manifests/v1", 413, {
      body: "x".repeat(2001),
      headers,
      code: "SIZE_INVALID",
    });
    const body = JSON.stringify({
      schemaVersion: 2,
      config: { ...EMPTY_DESCRIPTOR, digest: digestOf("x") },
      layers: [],
      artifactType: "a/b",
    });
    await raw.ask("PUT", "/v2/a/manifests/v1", 404, { body, headers, code: "MANIFEST_BLOB_UNKNOWN" });
    await raw.ask("PUT", `/v2/a/manifests/${digestOf("y")}`, 400, { body, headers, code: "DIGEST_INVALID" });
    await raw.ask("PUT", "/v2/a/manifests/sha256:bad", 400, { body, headers, code: "DIGEST_INVALID" });
  });

  test("many tags are set at once, and case tells tags apart", async () => {
    await start();
    const { bytes, digest } = await raw.pushManifest("a", "V1");
    const tags = Array.from({ length: 10 }, (_, index) => `t${index}`);
    const query = tags.map((tag) => `tag=${tag}`).join("&");
    const headers = { "content-type": MEDIA_TYPES.imageManifest };
    const put = await raw.ask("PUT", `/v2/a/manifests/${digest}?${query}`, 201, { body: bytes, headers });
    expect([put.headers["oci-tag"]].flat().join(",").split(/, ?/)).toEqual(tags);
    await raw.ask("GET", "/v2/a/manifests/v1", 404);
    await raw.ask("DELETE", "/v2/a/manifests/V1", 202);
    await raw.ask("GET", "/v2/a/manifests/t9", 200);
    await raw.ask("DELETE", `/v2/a/manifests/${digest}`, 202);
    expect(JSON.parse(String((await raw.ask("GET", "/v2/a/tags/list", 200)).body))).toEqual({
      name: "a",
      tags: [],
    });
  });

  test("a conditional write notices another writer", async () => {
    await start();
    const { bytes, digest } = await raw.pushManifest("a", "v1");
    const headers = { "content-type": MEDIA_TYPES.imageManifest };
    const put = async (condition: Record<string, string>, status: number) =>
      raw.ask("PUT", "/v2/a/manifests/v1", status, { body: bytes, headers: { ...headers, ...condition } });
    await put({ "if-match": `"${digestOf("old")}"` }, 412);
    await put({ "if-none-match": "*" }, 412);
    await put({ "if-match": `"${digest}"` }, 201);
  });
});

async function start(options: Partial<StartRegistryServerOptions> = {}): Promise<void> {
  server = await startRegistryServer({ folder, ...options });
}
