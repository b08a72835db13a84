// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test } from "vitest";
import { copyImage, type LayoutStore, openLayoutStore } from "../../src/oci/index.ts";
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
