// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ToolingError } from "../../src/core/error.ts";
import {
  copyImage,
  createMemoryStore,
  digestOf,
  type LayoutStore,
  openLayoutStore,
  writeDockerArchiveFile,
} from "../../src/oci/index.ts";
import { openRegistryRepository, startRegistryServer } from "../../src/registry/index.ts";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";
import { addSampleImage, type SampleImage } from "../support/sample-image.ts";

/** What may be said about a file that is not what it was. */
const REFUSALS = /^(?:STORE_|DIGEST_|SIZE_|MANIFEST_|JSON_|IMAGE_NOT_FOUND|BLOB_NOT_FOUND|ARCHIVE_)/;

let folder: TemporaryFolder;
let store: LayoutStore;
let image: SampleImage;

beforeEach(async () => {
  folder = await makeFolder("altered");
  store = await openLayoutStore(join(folder.path, "store"));
  image = await addSampleImage(store, { tag: "a:1", size: 30_000 });
});
afterEach(async () => {
  await folder.remove();
});

describe("one bit that is flipped in any file of a store", () => {
  test("is refused or changes nothing, whoever reads: a copy, an archive, a look over the store", async () => {
    const files = (await readdir(store.folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const before = await readFile(file);
      await rewrite(file, flip(before));
      await expectRefusalOrImage(async () => copyToMemory());
      await expectRefusalOrImage(async () => archive());
      if (file.includes("/blobs/")) {
        const { problems } = await store.verify({ deep: true });
        expect(problems.map(({ path }) => path)).toContain(file);
      }
      await rewrite(file, before);
    }
    expect(await copyToMemory()).toBe(image.index.digest);
    expect((await store.verify({ deep: true })).problems).toEqual([]);
  });

  test("does not get from a registry's folder to its clients", async () => {
    const root = join(folder.path, "registry");
    const options = { folder: root, stopTimeout: 100 };
    let server = await startRegistryServer(options);
    const open = () =>
      openRegistryRepository({ registry: server.address, repository: "a" }, { retry: { tries: 1 } });
    await copyImage(store, open(), image.index, { tag: "v1" });
    const [blob] = image.blobs;
    const path = join(root, "blobs", "sha256", blob?.digest.slice(7, 9) ?? "", blob?.digest.slice(7) ?? "");
    await server.close();
    const before = await readFile(path);
    // In place: the repository has the same file under another name.
    await writeFile(path, flip(before));
    server = await startRegistryServer(options);
    try {
      const copy = createMemoryStore();
      const pulling = copyImage(open(), copy, image.index);
      await expect(pulling).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
      expect(await copy.hasManifest(image.index)).toBe(false);
      await writeFile(path, before);
      await copyImage(open(), copy, image.index);
      expect(await copy.hasManifest(image.index)).toBe(true);
    } finally {
      await server.close();
    }
  });
});

describe("a file that is exchanged while it is read", () => {
  test("by a thread that does nothing else never becomes part of a copy", async () => {
    const large = image.blobs.find(({ size }) => size > 20_000);
    if (large === undefined) throw new Error("no large blob");
    const path = store.blobPath(large.digest);
    const good = await readFile(path);
    const thread = new Worker(EXCHANGE, { eval: true, workerData: { path, good, evil: flip(good) } });
    await new Promise((resolve) => thread.once("message", resolve));
    const outcomes = new Set<string>();
    try {
      const end = performance.now() + 2000;
      for (let round = 0; round < 20 || (outcomes.size < 2 && performance.now() < end); round += 1) {
        outcomes.add(await outcomeOf(async () => copyToMemory()));
        outcomes.add(await outcomeOf(async () => archive()));
      }
    } finally {
      await thread.terminate();
    }
    for (const outcome of outcomes)
      expect(outcome).toMatch(new RegExp(`^(?:${image.index.digest}|${REFUSALS.source.slice(1)})`));
    await rewrite(path, good);
    expect(await copyToMemory()).toBe(image.index.digest);
  });

  test("with its whole folder, for a link to another one, is refused", async () => {
    const blobs = join(store.folder, "blobs");
    const other = join(folder.path, "other");
    await rename(blobs, other);
    for (const name of await readdir(join(other, "sha256"))) {
      const path = join(other, "sha256", name);
      await rewrite(path, flip(await readFile(path)));
    }
    await symlink(other, blobs);
    expect(await outcomeOf(async () => copyToMemory())).toMatch(REFUSALS);
    expect((await store.verify({ deep: true })).problems.length).toBeGreaterThan(5);
  });
});

/** Exchanges a file for another one, by renaming, as fast as it can. */
const EXCHANGE = `
const { renameSync, writeFileSync } = require("node:fs");
const { parentPort, workerData: { path, good, evil } } = require("node:worker_threads");
for (let round = 0; ; round += 1) {
  writeFileSync(path + ".next", round % 2 === 0 ? evil : good);
  renameSync(path + ".next", path);
  if (round === 0) parentPort.postMessage("ready");
}
`;

/** Gives the digest of what has arrived, which is read again to be sure. */
async function copyToMemory(): Promise<string> {
  const copy = createMemoryStore();
  const from = await openLayoutStore(store.folder);
  await copyImage(from, copy, await from.resolveManifest("a:1"), { tag: "copy" });
  const root = await copy.resolveManifest("copy");
  expect(digestOf(await copy.fetchManifest(root))).toBe(root.digest);
  for (const blob of image.blobs) expect(await copy.hasBlob(blob)).toBe(true);
  return root.digest;
}

/** Gives the digest of the index when the archive is the one that the image always makes. */
async function archive(): Promise<string> {
  const file = join(folder.path, "image.tar");
  const [descriptor] = image.manifests;
  if (descriptor === undefined) throw new Error("no manifest");
  try {
    const from = await openLayoutStore(store.folder);
    await writeDockerArchiveFile(from, [{ descriptor, reference: "docker.io/library/a:1" }], file);
    const digest = digestOf(await readFile(file));
    expected ??= digest;
    return digest === expected ? image.index.digest : "another archive";
  } catch (error) {
    expect(await readdir(folder.path)).not.toContain("image.tar");
    throw error;
  } finally {
    await rm(file, { force: true });
  }
}

let expected: string | undefined;
beforeEach(async () => {
  expected = undefined;
  await archive();
});

async function expectRefusalOrImage(work: () => Promise<string>): Promise<void> {
  const outcome = await outcomeOf(work);
  expect(outcome === image.index.digest || REFUSALS.test(outcome) ? "fine" : outcome).toBe("fine");
}

async function outcomeOf(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ToolingError) return error.code;
    throw error;
  }
}

/** As somebody else would: the store makes its files read-only. */
async function rewrite(path: string, content: Uint8Array): Promise<void> {
  await rm(path);
  await writeFile(path, content);
}

function flip(content: Uint8Array): Buffer {
  const flipped = Buffer.from(content);
  const at = Math.floor(flipped.byteLength / 2);
  flipped[at] = (flipped[at] ?? 0) ^ 1;
  return flipped;
}
