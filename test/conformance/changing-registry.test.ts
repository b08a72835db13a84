// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { type ByteStream, collectBytes } from "../../src/core/byte-stream.ts";
import { copyImage, createMemoryStore, describeBytes } from "../../src/oci/index.ts";
import { openRegistryRepository, type RegistryRepository } from "../../src/registry/index.ts";
import { canServeDockerRegistry, serveDockerRegistry } from "../support/docker-registry.ts";
import { startFaultyRegistry } from "../support/faulty-registry.ts";
import { addSampleImage } from "../support/sample-image.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

describe("a tag that moves while it is copied", () => {
  test("does not mix two images: what it was at first is copied whole", async () => {
    const front = await startFaultyRegistry(({ forward, request, target }) => {
      if (target.endsWith("/manifests/v1") && request.method !== "PUT") forward();
      else if (hasMoved || request.method === "PUT" || request.method === "POST") forward();
      else void move().finally(() => forward());
    });
    stops.push(async () => front.close());
    const truth = open(front.backend);
    const first = await addSampleImage(truth, { tag: "v1", size: 5000 });
    const second = await addSampleImage(truth, { size: 5000 });
    let hasMoved = false;
    const move = async (): Promise<void> => {
      hasMoved = true;
      await truth.putManifest(second.index, await truth.fetchManifest(second.index), { tag: "v1" });
    };
    const from = open(front.address);
    const copy = createMemoryStore();
    const root = await from.resolveManifest("v1");
    await copyImage(from, copy, root, { tag: "v1" });
    expect(hasMoved).toBe(true);
    expect((await truth.resolveManifest("v1")).digest).toBe(second.index.digest);
    expect((await copy.resolveManifest("v1")).digest).toBe(first.index.digest);
    for (const blob of first.blobs) expect(await copy.hasBlob(blob)).toBe(true);
    expect(await copy.hasManifest(second.index)).toBe(false);
    await copyImage(from, copy, await from.resolveManifest("v1"), { tag: "v1" });
    expect((await copy.resolveManifest("v1")).digest).toBe(second.index.digest);
  });
});

describe.runIf(canServeDockerRegistry())(
  "docker-registry, killed in the middle of an upload and started again,",
  () => {
    test.each([1, 3, 5])("has the whole blob in the end: after part %i of six", async (part) => {
      const registry = await serveDockerRegistry();
      stops.push(registry.stop);
      const bytes = randomBytes(12_000_000);
      const blob = describeBytes(bytes, "application/octet-stream");
      let isKilled = false;
      const content: ByteStream = {
        async *[Symbol.asyncIterator]() {
          for (let at = 0; at < bytes.byteLength; at += 2_000_000) {
            if (at === part * 2_000_000 && !isKilled) {
              isKilled = true;
              await registry.restart();
            }
            yield bytes.subarray(at, at + 2_000_000);
          }
        },
      };
      const repository = open(registry.host);
      await repository.putBlob(blob, content);
      expect(isKilled).toBe(true);
      expect(bytes.equals(await collectBytes(repository.openBlob(blob)))).toBe(true);
    });
  },
);

test("a registry that lost bytes of an upload that was taken up again gets them all once more", async () => {
  let broken = 0;
  let refused = 0;
  const front = await startFaultyRegistry(({ forward, reply, request }) => {
    if (request.method === "PATCH" && broken === 0) {
      broken += 1;
      reply(503);
    } else if (request.method === "PUT" && refused === 0) {
      refused += 1;
      reply(400, {}, JSON.stringify({ errors: [{ code: "DIGEST_INVALID", message: "did not match" }] }));
    } else forward();
  });
  stops.push(async () => front.close());
  const bytes = randomBytes(3_000_000);
  const blob = describeBytes(bytes, "application/octet-stream");
  const content: ByteStream = {
    async *[Symbol.asyncIterator]() {
      yield bytes;
    },
  };
  await open(front.address).putBlob(blob, content);
  expect([broken, refused]).toEqual([1, 1]);
  expect(bytes.equals(await collectBytes(open(front.backend).openBlob(blob)))).toBe(true);
});

function open(address: string): RegistryRepository {
  const retry = { tries: 8, firstDelay: 20, longestDelay: 500 };
  return openRegistryRepository({ registry: address, repository: "a" }, { retry });
}
