// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { streamOf } from "../../src/core/byte-stream.ts";
import {
  type Descriptor,
  describeBytes,
  EMPTY_BYTES,
  EMPTY_DESCRIPTOR,
  MEDIA_TYPES,
} from "../../src/oci/index.ts";
import { openRegistryRepository, type RegistryRepository } from "../../src/registry/index.ts";
import { type Fault, type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";

const SUBJECT = document({ artifactType: "x/subject" });
const FALLBACK = `sha256-${SUBJECT.descriptor.digest.slice(7)}`;

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const item of running.splice(0).toReversed()) await item.close();
});

describe("a registry without the referrers API", () => {
  test.each([
    ["404", (reply: Reply) => reply(404)],
    ["400", (reply: Reply) => reply(400)],
    ["406", (reply: Reply) => reply(406)],
    ["a page for people", (reply: Reply) => reply(200, { "content-type": "text/html" }, "<html>")],
  ])("that answers %s gets the list kept under a tag", async (_, refuse) => {
    const front = await start(withoutApi(refuse));
    const repository = open(front.address);
    await seed(repository);
    const one = await attach(repository, "x/1", { note: "first" });
    await attach(repository, "x/2");
    await attach(repository, "x/2");
    expect(
      (await repository.listReferrers(SUBJECT.descriptor.digest)).map(({ artifactType }) => artifactType),
    ).toEqual(["x/1", "x/2"]);
    expect(await repository.listReferrers(SUBJECT.descriptor.digest, { artifactType: "x/1" })).toMatchObject([
      { digest: one.digest, annotations: { note: "first" } },
    ]);
    await repository.deleteManifest(one.digest);
    expect(await repository.listReferrers(SUBJECT.descriptor.digest)).toHaveLength(1);
  });

  test("keeps all of ten that are attached at once by writers that do not know of each other", async () => {
    const backend = await start(withoutApi((reply) => reply(404)));
    await seed(open(backend.address));
    const fronts = await Promise.all(Array.from({ length: 10 }, async () => start(plain, backend.address)));
    await Promise.all(fronts.map(async (front, index) => attach(open(front.address), `x/${index}`)));
    const listed = await open(backend.address).listReferrers(SUBJECT.descriptor.digest);
    expect(new Set(listed.map(({ artifactType }) => artifactType))).toEqual(
      new Set(Array.from({ length: 10 }, (_, index) => `x/${index}`)),
    );
    expect(listed).toHaveLength(10);
  }, 60_000);

  test("has its tag left alone when something else stands there", async () => {
    const front = await start(withoutApi((reply) => reply(404)));
    const repository = open(front.address);
    await seed(repository);
    const other = document({ artifactType: "x/other" });
    await repository.putManifest(other.descriptor, other.bytes, { tag: FALLBACK });
    await expect(attach(repository, "x/1")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    expect(await repository.resolveManifest(FALLBACK)).toEqual(other.descriptor);
  });
});

test("Debian's docker-registry: push, pull, attach, list and delete", async ({ skip }) => {
  const address = await startDockerRegistry();
  if (address === undefined) skip("docker-registry is not installed");
  const repository = open(address ?? "");
  await seed(repository);
  await attach(repository, "x/1");
  const two = await attach(repository, "x/2");
  await repository.deleteManifest(two.digest);
  const listed = await repository.listReferrers(SUBJECT.descriptor.digest);
  expect(listed.map(({ artifactType }) => artifactType)).toEqual(["x/1"]);
  const tags: string[] = [];
  for await (const tag of repository.listTags()) tags.push(tag);
  expect(tags).toEqual(expect.arrayContaining(["v1", FALLBACK]));
  expect(await repository.fetchManifest(await repository.resolveManifest("v1"))).toEqual(
    new Uint8Array(SUBJECT.bytes),
  );
  expect(await open(address ?? "", "other").mountBlob(EMPTY_DESCRIPTOR, { from: "a" })).toBe(true);
  await repository.deleteManifest(SUBJECT.descriptor.digest);
  await expect(repository.resolveManifest("v1")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
});

type Reply = Parameters<Fault>[0]["reply"];

const plain: Fault = ({ forward }) => forward();

/** Hides what our own registry can do. */
function withoutApi(refuse: (reply: Reply) => void): Fault {
  return ({ forward, reply, target }) => {
    if (target.includes("/referrers/")) {
      refuse(reply);
      return;
    }
    forward(({ headers }) => {
      delete headers["oci-subject"];
      delete headers["etag"];
    });
  };
}

async function start(fault: Fault, backend?: string): Promise<FaultyRegistry> {
  const registry = await startFaultyRegistry(fault, backend === undefined ? {} : { backend });
  running.push(registry);
  return registry;
}

function open(registry: string, repository = "a"): RegistryRepository {
  return openRegistryRepository({ registry, repository }, { retry: { firstDelay: 1, longestDelay: 5 } });
}

function document(members: object): { bytes: Buffer; descriptor: Descriptor } {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageManifest,
      config: EMPTY_DESCRIPTOR,
      layers: [EMPTY_DESCRIPTOR],
      ...members,
    }),
  );
  return { bytes, descriptor: describeBytes(bytes, MEDIA_TYPES.imageManifest) };
}

async function seed(repository: RegistryRepository): Promise<void> {
  await repository.putBlob(EMPTY_DESCRIPTOR, streamOf(EMPTY_BYTES));
  await repository.putManifest(SUBJECT.descriptor, SUBJECT.bytes, { tag: "v1" });
}

async function attach(
  repository: RegistryRepository,
  artifactType: string,
  annotations?: Record<string, string>,
): Promise<Descriptor> {
  const { bytes, descriptor } = document({ artifactType, subject: SUBJECT.descriptor, annotations });
  await repository.putManifest(descriptor, bytes);
  return descriptor;
}

/** Absent: it is not installed. */
async function startDockerRegistry(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "toolbox-docker-registry-"));
  const address = `127.0.0.1:${await freePort()}`;
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
    http: { addr: address },
  };
  // YAML is a superset of JSON.
  await writeFile(join(folder, "config.yml"), JSON.stringify(config));
  const child = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  running.push({
    async close() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  });
  if (child.pid === undefined) return undefined;
  await expect
    .poll(
      async () =>
        fetch(`http://${address}/v2/`).then(
          ({ ok }) => ok,
          () => false,
        ),
      { timeout: 10_000 },
    )
    .toBe(true);
  return address;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return typeof address === "object" && address !== null ? address.port : 0;
}
