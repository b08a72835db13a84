// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { collectBytes, streamOf } from "../../src/core/byte-stream.ts";
import { type Descriptor, describeBytes } from "../../src/oci/index.ts";
import { openRegistryRepository, type RegistryRepository } from "../../src/registry/index.ts";
import { type Fault, type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";

const bytes = randomBytes(3_000_000);
const blob = describeBytes(bytes, "application/octet-stream");
const retry = { firstDelay: 1, longestDelay: 5 };

let registry: FaultyRegistry | undefined;
afterEach(async () => {
  await registry?.close();
});

describe("a download", () => {
  test.each([1, 1000, 65_536, 2_999_999])("goes on after the connection broke at byte %i", async (cut) => {
    const repository = await start(({ earlier, forward, request, response, target }) => {
      if (request.method !== "GET" || !target.includes("/blobs/") || earlier > 0) {
        forward();
        return;
      }
      response.writeHead(200, { "content-length": bytes.byteLength });
      response.write(bytes.subarray(0, cut), () => response.destroy());
    });
    await seed();
    expect(bytes.equals(await pull(repository))).toBe(true);
    expect(gets()).toBe(2);
  });

  test("takes the whole again from a registry that knows no ranges", async () => {
    const repository = await start(({ earlier, forward, request, response }) => {
      if (request.method !== "GET") {
        forward();
        return;
      }
      response.writeHead(200, { "content-length": bytes.byteLength });
      if (earlier > 0) response.end(bytes);
      else response.write(bytes.subarray(0, 1_000_000), () => response.destroy());
    });
    expect(bytes.equals(await pull(repository))).toBe(true);
  });

  test.each([
    ["another start", 206, "bytes 0-1999999/3000000"],
    ["another total", 206, "bytes 1000000-2999999/3000001"],
    ["no range at all", 206, ""],
    ["416", 416, "bytes */3000000"],
  ])("does not splice an answer with %s in", async (_, status, range) => {
    const repository = await start(({ earlier, reply, response }) => {
      if (earlier > 0) {
        reply(status, { "content-range": range, "content-length": "2000000" }, bytes.subarray(0, 2_000_000));
        return;
      }
      response.writeHead(200, { "content-length": bytes.byteLength });
      response.write(bytes.subarray(0, 1_000_000), () => response.destroy());
    });
    await expect(pull(repository)).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
  });

  test("of other bytes fails, whatever the registry says about them", async () => {
    const wrong = randomBytes(bytes.byteLength);
    const repository = await start(({ reply }) =>
      reply(200, { "docker-content-digest": blob.digest }, wrong),
    );
    await expect(pull(repository)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  test("of a wrong length fails before a byte is read", async () => {
    const repository = await start(({ reply }) => reply(200, { "content-length": "5" }, "hello"));
    await expect(pull(repository)).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
  });

  test("that never ends is cut at the size that was expected", async () => {
    let sent = 0;
    const repository = await start(({ response }) => {
      response.writeHead(200);
      const more = (): void => {
        for (let wants = true; wants && !response.destroyed; sent += bytes.byteLength)
          wants = response.write(bytes);
      };
      response.on("drain", more);
      more();
    });
    await expect(pull(repository)).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
    expect(sent).toBeLessThan(100 * bytes.byteLength);
  });

  test("that stalls counts as broken", async () => {
    const repository = await start(({ earlier, forward, request, response }) => {
      if (request.method !== "GET" || earlier > 0) forward();
      else response.writeHead(200, { "content-length": bytes.byteLength }).write(bytes.subarray(0, 1000));
    });
    await seed();
    expect(bytes.equals(await pull(repository))).toBe(true);
  });

  test("ends at once when it is aborted", async () => {
    const repository = await start(({ response }) => response.writeHead(200).flushHeaders());
    const controller = new AbortController();
    const pulling = collectBytes(repository.openBlob(blob, { signal: controller.signal }));
    controller.abort(new Error("enough"));
    await expect(pulling).rejects.toThrow("enough");
  });
});

describe("an upload", () => {
  test.each([
    ["nothing was read", 0],
    ["some was read", 1_000_000],
  ])("goes on after the connection broke when %s", async (_, cut) => {
    const repository = await start(({ earlier, forward, request }) => {
      if (request.method !== "PATCH" || earlier > 0) {
        forward();
        return;
      }
      let read = 0;
      if (cut === 0) request.socket.destroy();
      else forward();
      request.on("data", (chunk: Buffer) => {
        read += chunk.byteLength;
        if (read > cut) request.socket.destroy();
      });
    });
    await push(repository);
    await check();
  });

  test("starts anew when the registry has forgotten it", async () => {
    const repository = await start(({ forward, reply, request, target }) => {
      const isFirst = target.includes(
        registry?.seen.find(({ method }) => method === "PATCH")?.target ?? "none",
      );
      if (["PATCH", "GET"].includes(request.method ?? "") && isFirst) {
        reply(404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
      } else {
        forward();
      }
    });
    await push(repository);
    await check();
  });

  test("sends again what the registry did not take", async () => {
    const repository = await start(({ earlier, forward, request, reply, target }) => {
      if (request.method === "PATCH" && earlier === 0) reply(202, { location: target, range: "0-0" });
      else forward();
    });
    await push(repository);
    await check();
  });

  test("gives up on a registry that takes nothing, and says so", async () => {
    const repository = await start(({ forward, request, reply, target }) => {
      if (request.method === "PATCH") reply(202, { location: target, range: "0-0" });
      else forward();
    });
    await expect(push(repository)).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
    expect(registry?.seen.filter(({ method }) => method === "PATCH").length).toBeLessThanOrEqual(12);
    expect(registry?.seen.at(-1)?.method).toBe("DELETE");
  });

  test("accepts 201 on PATCH and 204 at the end", async () => {
    const repository = await start(({ forward, request }) =>
      forward((answer) => {
        if (request.method === "PATCH") answer.status = 201;
        if (request.method === "PUT") answer.status = 204;
      }),
    );
    await push(repository);
    await check();
  });

  test("uses smaller requests when a large one is refused", async () => {
    const large = randomBytes(9_000_000);
    const repository = await start(({ forward, reply, request }) => {
      const length = Number(request.headers["content-length"]);
      if (request.method === "PATCH" && length > 5_000_000) reply(413, { connection: "close" });
      else forward();
    });
    const descriptor = describeBytes(large, "application/octet-stream");
    await repository.putBlob(descriptor, chunks(large));
    expect(await truth().hasBlob(descriptor)).toBe(true);
  });

  test("sends chunks of at least the size that the registry wants", async () => {
    const repository = await start(
      ({ forward, request }) =>
        forward(({ headers }) => {
          if (request.method === "POST") headers["oci-chunk-min-length"] = "1500000";
        }),
      { chunkSize: 1000 },
    );
    await push(repository);
    await check();
    expect(registry?.seen.filter(({ method }) => method === "PATCH")).toHaveLength(2);
  });

  test("without a place to go to is a clear error", async () => {
    const repository = await start(({ reply }) => reply(202));
    await expect(push(repository)).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
  });

  test("that the registry stored as something else is an error", async () => {
    const other = describeBytes(randomBytes(3), "x/y").digest;
    const repository = await start(({ forward, request }) =>
      forward(({ headers }) => {
        if (request.method === "PUT") headers["docker-content-digest"] = other;
      }),
    );
    await expect(push(repository)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  test("of content that is too short makes nothing visible", async () => {
    const repository = await start(({ forward }) => forward());
    await expect(repository.putBlob(blob, chunks(bytes.subarray(1)))).rejects.toMatchObject({
      code: "SIZE_MISMATCH",
    });
    expect(await truth().hasBlob(blob)).toBe(false);
  });

  test("passes an error of its source on", async () => {
    const repository = await start(({ forward }) => forward());
    await expect(repository.putBlob(blob, broken())).rejects.toThrow("the source broke");
  });

  test("goes where a refused mount says, and once only", async () => {
    const repository = await start(({ forward }) => forward());
    expect(await repository.mountBlob(blob, { from: "other" })).toBe(false);
    await push(repository);
    await check();
    expect(registry?.seen.filter(({ method }) => method === "POST")).toHaveLength(1);
  });
});

async function start(fault: Fault, options: { chunkSize?: number } = {}): Promise<RegistryRepository> {
  registry = await startFaultyRegistry(fault);
  return open(registry.address, options);
}

function open(address: string, options: { chunkSize?: number } = {}): RegistryRepository {
  return openRegistryRepository(
    { registry: address, repository: "a" },
    { retry, idleTimeout: 1500, ...options },
  );
}

/** The same repository without faults. */
function truth(): RegistryRepository {
  return open(registry?.backend ?? "");
}

async function seed(): Promise<void> {
  await truth().putBlob(blob, streamOf(bytes));
}

async function pull(repository: RegistryRepository, descriptor: Descriptor = blob): Promise<Uint8Array> {
  return collectBytes(repository.openBlob(descriptor));
}

async function push(repository: RegistryRepository): Promise<void> {
  await repository.putBlob(blob, chunks(bytes));
}

async function check(): Promise<void> {
  expect(bytes.equals(await pull(truth()))).toBe(true);
}

function gets(): number {
  return registry?.seen.filter(({ method }) => method === "GET").length ?? 0;
}

async function* chunks(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += 50_000) yield content.subarray(at, at + 50_000);
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, 10);
  throw new Error("the source broke");
}
