// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import bcrypt from "bcryptjs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { copyImage, createMemoryStore, digestOf } from "../../src/oci/index.ts";
import {
  openRegistryRepository,
  type RegistryRepository,
  type RegistryServer,
  startRegistryServer,
} from "../../src/registry/index.ts";
import { startFaultyRegistry } from "../support/faulty-registry.ts";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";
import { RawRegistry } from "../support/raw-registry.ts";
import { addSampleImage } from "../support/sample-image.ts";

let folder: TemporaryFolder;
let server: RegistryServer | undefined;
const raw = new RawRegistry(() => server?.url ?? "");

beforeEach(async () => {
  folder = await makeFolder("strangers");
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await folder.remove();
});

test("nobody told it to listen elsewhere, so only one address of this machine is served", async () => {
  server = await startRegistryServer({ folder: folder.path, stopTimeout: 100 });
  expect(await reach("127.0.0.1", server.port)).toBe("open");
  for (const address of ["127.0.0.2", "::1"]) expect(await reach(address, server.port)).not.toBe("open");
});

describe("a blob of another repository", () => {
  test("is lent to users who have logged in, and strangers do not learn whether it is there", async () => {
    const htpasswd = join(folder.path, "htpasswd");
    const lines = ["ann", "bob"].map(async (name) => `${name}:${await bcrypt.hash(`pw-${name}`, 4)}\n`);
    await writeFile(htpasswd, (await Promise.all(lines)).join(""));
    server = await startRegistryServer({ folder: join(folder.path, "data"), htpasswd, stopTimeout: 100 });
    const digest = digestOf("content");
    await ask(`/v2/ann/blobs/uploads/?digest=${digest}`, 201, "ann");
    const answers = new Set<string>();
    for (const known of [digest, digestOf("nothing")]) {
      for (const who of [undefined, "eve"]) {
        answers.add(await ask(`/v2/eve/blobs/uploads/?mount=${known}`, 401, who));
        answers.add(await ask(`/v2/eve/blobs/uploads/?mount=${known}&from=ann`, 401, who));
        answers.add(await ask(`/v2/ann/blobs/${known}`, 401, who));
      }
    }
    expect([...answers]).toHaveLength(1);
    await ask(`/v2/bob/blobs/${digest}`, 404, "bob");
    await ask(`/v2/bob/blobs/uploads/?mount=${digest}&from=ann`, 201, "bob");
    expect(await ask(`/v2/bob/blobs/${digest}`, 200, "bob")).toBe("content");
  });

  test.each([401, 403, 404, 405])("that is not lent, answer %i, is sent", async (status) => {
    const front = await startFaultyRegistry(({ forward, reply, target }) => {
      if (target.includes("mount=")) reply(status);
      else forward();
    });
    try {
      const from = open(front.address, "secret");
      const image = await addSampleImage(from, { tag: "v1", size: 1000 });
      const to = open(front.address, "mine");
      const mountBlob = to.mountBlob.bind(to);
      await copyImage(from, to, image.index, {
        tag: "v1",
        mountBlob: async (blob, options) => mountBlob(blob, { ...options, from: "secret" }),
      });
      const copy = createMemoryStore();
      await copyImage(open(front.backend, "mine"), copy, image.index);
      expect(await copy.hasManifest(image.index)).toBe(true);
      expect(front.seen.some(({ target }) => target.includes("mount="))).toBe(true);
    } finally {
      await front.close();
    }
  });
});

async function ask(path: string, status: number, who?: string): Promise<string> {
  const headers = who === undefined ? {} : { authorization: basic(who) };
  const method = path.includes("/uploads/") ? "POST" : "GET";
  const body = path.includes("?digest=") ? "content" : "";
  return String((await raw.ask(method, path, status, { headers, body })).body);
}

function basic(name: string): string {
  return `Basic ${Buffer.from(`${name}:pw-${name}`).toString("base64")}`;
}

function open(registry: string, repository: string): RegistryRepository {
  return openRegistryRepository({ registry, repository }, { retry: { firstDelay: 1, longestDelay: 5 } });
}

async function reach(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => resolve("open")).once("error", (error) => resolve(error.message));
    socket.once("connect", () => socket.destroy());
  });
}
