// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  copyImage,
  type LayoutStore,
  openLayoutStore,
  planArtifact,
  pushArtifact,
} from "../../src/oci/index.ts";
import { openRegistryRepository, type RegistryRepository } from "../../src/registry/index.ts";
import { type Fault, type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";
import { addSampleImage } from "../support/sample-image.ts";

/** More than what an upload keeps to send again. */
const LARGE = 12_000_000;

let folder: TemporaryFolder | undefined;
let registry: FaultyRegistry | undefined;
afterEach(async () => {
  await registry?.close();
  await folder?.remove();
});

test("a copy begins a large blob anew when the registry has lost all of it", async () => {
  const to = await start(forgetOnce(10_000_000));
  const from = await makeStore();
  const image = await addSampleImage(from, { size: LARGE });
  await copyImage(from, to, image.index, { tag: "v1", concurrency: 1 });
  expect((await truth().resolveManifest("v1")).digest).toBe(image.index.digest);
  for (const blob of image.blobs) expect(await truth().hasBlob(blob)).toBe(true);
});

test("a copy goes on in the middle of a large blob when the registry has lost the end of what was sent", async () => {
  const to = await start(keepOnce(500_000, 10_000_000));
  const from = await makeStore();
  const image = await addSampleImage(from, { size: LARGE });
  await copyImage(from, to, image.index, { tag: "v1", concurrency: 1 });
  expect((await truth().resolveManifest("v1")).digest).toBe(image.index.digest);
  expect(registry?.seen.filter(({ method }) => method === "PATCH").length).toBeGreaterThan(2);
});

test("an artifact's file is read again from its start when the registry has lost all of it", async () => {
  const to = await start(forgetOnce(10_000_000));
  folder = await makeFolder("artifact");
  const path = join(folder.path, "large.bin");
  await writeFile(path, randomBytes(LARGE));
  const plan = await planArtifact("x/large", [{ path, title: "large.bin", mediaType: "x/large" }]);
  const root = await pushArtifact(plan, to, { tag: "v1" });
  expect((await truth().resolveManifest("v1")).digest).toBe(root.digest);
  for (const blob of plan.blobs) expect(await truth().hasBlob(blob)).toBe(true);
});

test("an artifact whose file changes while it is read again is not pushed, and is when it stays", async () => {
  folder = await makeFolder("artifact");
  const path = join(folder.path, "large.bin");
  await writeFile(path, randomBytes(LARGE));
  const forget = forgetOnce(10_000_000);
  const to = await start((exchange) => {
    // The file is another one from the moment on that the upload is forgotten.
    if (exchange.request.method === "GET") writeFileSync(path, randomBytes(LARGE));
    forget(exchange);
  });
  const file = { path, title: "large.bin", mediaType: "x/large" };
  const pushing = pushArtifact(await planArtifact("x/large", [file]), to, { tag: "v1" });
  await expect(pushing).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  await expect(truth().resolveManifest("v1")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  const root = await pushArtifact(await planArtifact("x/large", [file]), truth(), { tag: "v1" });
  expect((await truth().resolveManifest("v1")).digest).toBe(root.digest);
});

test("a stream that can be read once only ends with a clear error there", async () => {
  const to = await start(forgetOnce(10_000_000));
  const from = await makeStore();
  const { blobs } = await addSampleImage(from, { size: LARGE });
  const large = blobs.find(({ size }) => size > LARGE / 2);
  if (large === undefined) throw new Error("no large blob");
  const pushing = to.putBlob(large, from.openBlob(large));
  await expect(pushing).rejects.toMatchObject({
    code: "REGISTRY_FAILED",
    message: expect.stringContaining("lost what was sent") as string,
  });
  expect(await truth().hasBlob(large)).toBe(false);
});

/** Takes `size` bytes of the first large upload, then breaks the connection and knows nothing of it any more. */
function forgetOnce(size: number): Fault {
  let forgotten: string | undefined;
  return ({ forward, reply, request, target }) => {
    if (target === forgotten) {
      reply(404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
      return;
    }
    const isLarge = Number(request.headers["content-length"]) > size;
    if (request.method !== "PATCH" || !isLarge || forgotten !== undefined) {
      forward();
      return;
    }
    forgotten = target;
    let read = 0;
    request.on("data", (chunk: Buffer) => {
      read += chunk.byteLength;
      if (read > size) request.socket.destroy();
    });
  };
}

/** Keeps the first `kept` bytes of the first large upload, takes `size` and breaks the connection. */
function keepOnce(kept: number, size: number): Fault {
  let isDone = false;
  return ({ forward, request, target }) => {
    if (isDone || request.method !== "PATCH" || Number(request.headers["content-length"]) <= size) {
      forward();
      return;
    }
    isDone = true;
    const url = `http://${registry?.backend}${target}`;
    const chunks: Buffer[] = [];
    let read = 0;
    request.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      read += chunk.byteLength;
      if (read <= size) return;
      request.pause();
      const body = Buffer.concat(chunks).subarray(0, kept);
      void fetch(url, { method: "PATCH", body }).finally(() => request.socket.destroy());
    });
  };
}

/** On a disk, which gives a blob in chunks. */
async function makeStore(): Promise<LayoutStore> {
  folder = await makeFolder("copy");
  return openLayoutStore(folder.path);
}

async function start(fault: Fault): Promise<RegistryRepository> {
  registry = await startFaultyRegistry(fault);
  return open(registry.address);
}

/** The same repository without faults. */
function truth(): RegistryRepository {
  return open(registry?.backend ?? "");
}

function open(address: string): RegistryRepository {
  const retry = { firstDelay: 1, longestDelay: 5 };
  return openRegistryRepository({ registry: address, repository: "a" }, { retry, idleTimeout: 3000 });
}
