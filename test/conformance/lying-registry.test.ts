// SPDX-License-Identifier: Apache-2.0
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  copyImage,
  createMemoryStore,
  describeBytes,
  digestOf,
  EMPTY_DESCRIPTOR,
  MEDIA_TYPES,
  openLayoutStore,
} from "../../src/oci/index.ts";
import { openRegistryRepository, type RegistryRepository } from "../../src/registry/index.ts";
import { type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";
import {
  always,
  cut,
  instead,
  type Lie,
  manifestWith,
  onLayer,
  reset,
  sendForever,
  splice,
  stall,
  when,
} from "../support/lies.ts";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";
import { addSampleImage, type SampleImage } from "../support/sample-image.ts";

const HEX = "0".repeat(64);
const BASIC = { "www-authenticate": "Basic realm=x" };
const PRIVATE = { location: "http://10.0.0.1/x" };
const FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

const STALLING = onLayer(stall);

/** Documents that no reader may believe, and the code of the error. */
const DOCUMENTS: readonly (readonly [string, string, string | Uint8Array])[] = [
  ["has a key twice", "JSON_INVALID", '{"schemaVersion":2,"schemaVersion":2}'],
  ["would change every object", "JSON_INVALID", '{"__proto__":{"polluted":true},"schemaVersion":2}'],
  [
    "is nested a thousand times",
    "JSON_INVALID",
    `{"schemaVersion":2,"x":${"[".repeat(1000)}${"]".repeat(1000)}}`,
  ],
  ["begins with a byte order mark", "JSON_INVALID", `\uFEFF${manifestWith({})}`],
  ["is no UTF-8", "JSON_INVALID", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
  ["is manifest and index at once", "MANIFEST_INVALID", manifestWith({ manifests: [] })],
  [
    "names a size that is no exact number",
    "MANIFEST_INVALID",
    manifestWith({ layers: [{ ...EMPTY_DESCRIPTOR, size: 2 ** 60 }] }),
  ],
  [
    "is of another type than announced",
    "MANIFEST_INVALID",
    manifestWith({ mediaType: MEDIA_TYPES.imageIndex }),
  ],
  ...[
    "md5:d41d8cd98f00b204e9800998ecf8427e",
    `sha256:${HEX.slice(1)}`,
    `sha256:${HEX}0`,
    `sha256:${"A".repeat(64)}`,
    `sha512:${HEX}`,
    "sha256:../../../../etc/passwd",
  ].map((digest) => documentNaming(digest)),
];

/** What the registry does, the code of the error, how. */
const PULLS: readonly (readonly [string, string, Lie])[] = [
  ...DOCUMENTS.map(([what, code, bytes]) => [`sends a document that ${what}`, code, instead(bytes)] as const),
  [
    "gives other bytes for a manifest",
    "DIGEST_MISMATCH",
    when("GET", /manifests\/sha256/, ({ reply }) => reply(200, {}, manifestWith({}))),
  ],
  [
    "gives other bytes for a blob",
    "DIGEST_MISMATCH",
    onLayer(({ reply }, size) => reply(200, {}, Buffer.alloc(size))),
  ],
  [
    "announces a blob of another size",
    "SIZE_MISMATCH",
    onLayer(({ reply }) => reply(200, { "content-length": "5" }, "hello")),
  ],
  ["never ends a blob", "SIZE_MISMATCH", onLayer(sendForever)],
  ["has lost a blob", "BLOB_NOT_FOUND", onLayer(({ reply }) => reply(404))],
  [
    "sends its clients to the metadata of their cloud",
    "POLICY_REFUSED",
    onLayer(({ reply }) => reply(307, { location: "http://169.254.169.254/latest" })),
  ],
  ["sends its clients into their network", "POLICY_REFUSED", onLayer(({ reply }) => reply(307, PRIVATE))],
  [
    "sends its clients in a circle",
    "REGISTRY_FAILED",
    onLayer(({ reply, target }) => reply(307, { location: target })),
  ],
  [
    "names a token service in a private network",
    "POLICY_REFUSED",
    always(({ reply }) => reply(401, { "www-authenticate": 'Bearer realm="http://10.0.0.1/t"' })),
  ],
  ["wants a password again and again", "AUTH_DENIED", always(({ reply }) => reply(401, BASIC))],
  ["is always too busy", "REGISTRY_RATE_LIMITED", always(({ reply }) => reply(429, { "retry-after": "0" }))],
  ["is always out of order", "REGISTRY_FAILED", always(({ reply }) => reply(503))],
  ["breaks every connection", "REGISTRY_UNREACHABLE", always(reset)],
  ["stops in the middle of blobs", "REGISTRY_UNREACHABLE", STALLING],
  ["closes in the middle of blobs", "REGISTRY_UNREACHABLE", onLayer(cut)],
  ["goes on with a blob from elsewhere", "REGISTRY_FAILED", onLayer(splice)],
];

const PUSHES: readonly (readonly [string, string, Lie])[] = [
  ["opens uploads nowhere", "REGISTRY_FAILED", when("POST", /uploads/, ({ reply }) => reply(202))],
  [
    "opens uploads in a private network",
    "POLICY_REFUSED",
    when("POST", /uploads/, ({ reply }) => reply(202, PRIVATE)),
  ],
  ["forgets every upload", "REGISTRY_FAILED", when("PUT", /uploads/, ({ reply }) => reply(404))],
  [
    "stores something else",
    "DIGEST_MISMATCH",
    when("PUT", /uploads/, ({ reply }) => reply(201, { "docker-content-digest": digestOf("else") })),
  ],
  ["takes no manifest", "REGISTRY_FAILED", when("PUT", /manifests/, ({ reply }) => reply(400))],
  ["gives nobody a tag", "AUTH_DENIED", when("PUT", /manifests\/v1/, ({ reply }) => reply(403))],
  [
    "is always too busy for uploads",
    "REGISTRY_RATE_LIMITED",
    when("POST", /uploads/, ({ reply }) => reply(429, { "retry-after": "0" })),
  ],
  ["wants a password again and again", "AUTH_DENIED", when("PUT", /./, ({ reply }) => reply(401, BASIC))],
  ["breaks every upload", "REGISTRY_UNREACHABLE", when("PUT", /uploads/, reset)],
  ["breaks every connection at the end", "REGISTRY_UNREACHABLE", when("PUT", /manifests\/v1/, reset)],
];

let folder: TemporaryFolder;
let front: FaultyRegistry;
let lie: Lie | undefined;
let image: SampleImage;

beforeEach(async () => {
  folder = await makeFolder("lying");
  lie = undefined;
  front = await startFaultyRegistry((exchange) => {
    if (lie?.(exchange, image) !== true) exchange.forward();
  });
});
afterEach(async () => {
  await front.close();
  await folder.remove();
});

describe("from a registry that", () => {
  test.each(PULLS)("%s, nothing is pulled (%s), and the next try succeeds", async (_, code, wrong) => {
    image = await addSampleImage(open(front.backend), { tag: "v1", size: 40_000 });
    const store = await openLayoutStore(join(folder.path, "store"));
    const pull = async (): Promise<void> => {
      const from = open(front.address);
      await copyImage(from, store, await from.resolveManifest("v1"), { tag: "a:1" });
    };
    await expectRefusal(wrong, pull, code);
    expect(await store.listRoots()).toEqual([]);
    expect(await readdir(join(store.folder, "ingest")).catch(() => [])).toEqual([]);
    expect(await readdir(join(store.folder, "blobs"))).toEqual(["sha256"]);
    expect((await store.verify({ deep: true })).problems).toEqual([]);
    expect(Reflect.get({}, "polluted")).toBe(undefined);
    await pull();
    expect((await store.resolveManifest("a:1")).digest).toBe(image.index.digest);
    expect((await store.verify({ deep: true })).problems).toEqual([]);
  });
});

describe("to a registry that", () => {
  test.each(PUSHES)("%s, nothing is pushed (%s), and the next try succeeds", async (_, code, wrong) => {
    const source = createMemoryStore();
    image = await addSampleImage(source, { size: 40_000 });
    const push = async (): Promise<void> => {
      await copyImage(source, open(front.address), image.index, { tag: "v1" });
    };
    await expectRefusal(wrong, push, code);
    const truth = open(front.backend);
    await expect(truth.resolveManifest("v1")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    await push();
    const pulled = createMemoryStore();
    await copyImage(truth, pulled, await truth.resolveManifest("v1"));
    for (const blob of image.blobs) expect(await pulled.hasBlob(blob)).toBe(true);
  });
});

test("addresses in a layer's descriptor are never asked, whatever the layer is", async () => {
  const elsewhere = await startFaultyRegistry(({ reply }) => reply(200, {}, "x"));
  try {
    const backend = open(front.backend);
    image = await addSampleImage(backend, { size: 1000 });
    const [config, layer] = image.blobs;
    const urls = [`http://${elsewhere.address}/layer`];
    for (const mediaType of [MEDIA_TYPES.layerGzip, FOREIGN]) {
      const bytes = Buffer.from(manifestWith({ config, layers: [{ ...layer, mediaType, urls }] }));
      const descriptor = describeBytes(bytes, MEDIA_TYPES.imageManifest);
      await backend.putManifest(descriptor, bytes, { tag: "foreign" });
      const store = createMemoryStore();
      await copyImage(open(front.address), store, descriptor);
      expect(await store.hasManifest(descriptor)).toBe(true);
    }
    expect(elsewhere.seen).toEqual([]);
  } finally {
    await elsewhere.close();
  }
});

function documentNaming(digest: string): readonly [string, string, string] {
  return [
    `names "${digest}"`,
    "MANIFEST_INVALID",
    manifestWith({ layers: [{ ...EMPTY_DESCRIPTOR, digest }] }),
  ];
}

async function expectRefusal(wrong: Lie, work: () => Promise<void>, code: string): Promise<void> {
  lie = wrong;
  await expect(work()).rejects.toMatchObject({ name: "ToolingError", code });
  lie = undefined;
}

function open(address: string): RegistryRepository {
  return openRegistryRepository(
    { registry: address, repository: "a" },
    {
      credentials: async () => ({ kind: "password", username: "ann", password: "secret" }),
      retry: { tries: 3, firstDelay: 1, longestDelay: 5 },
      ...(lie === STALLING && { idleTimeout: 1000 }),
    },
  );
}
