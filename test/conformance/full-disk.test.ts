// SPDX-License-Identifier: Apache-2.0
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { ToolingError } from "../../src/core/error.ts";
import { copyImage, createMemoryStore, openLayoutStore } from "../../src/oci/index.ts";
import {
  openRegistryRepository,
  type RegistryServer,
  startRegistryServer,
  verifyRegistryFolder,
} from "../../src/registry/index.ts";
import { addSampleImage } from "../support/sample-image.ts";
import { canMountSmallDisk, mountSmallDisk, type SmallDisk } from "../support/small-disk.ts";

const ENOUGH = "size=64m,nr_inodes=10000";

/** So that the disk is full at each of the steps: blobs, manifests, the index, the lock, and folders for them. */
const SIZES = [8, 16, 32, 64, 100, 128, 160, 200, 220, 240, 260].map(
  (size) => `size=${size}k,nr_inodes=10000`,
);
const INODES = Array.from({ length: 36 }, (_, count) => `size=64m,nr_inodes=${count + 2}`);

let disk: SmallDisk;
let server: RegistryServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
  await disk?.remove();
});

describe.runIf(canMountSmallDisk())("a disk that is full", () => {
  test.each([...SIZES, ...INODES])("leaves a store sound that goes on after that: %s", async (options) => {
    disk = await mountSmallDisk(options);
    const folder = join(disk.path, "store");
    const from = createMemoryStore();
    const image = await addSampleImage(from, { size: 50_000 });
    const outcome = await codeOf(async () => {
      await copyImage(from, await openLayoutStore(folder), image.index, { tag: "a:1" });
    });
    expect(["DISK_FULL", "done"]).toContain(outcome);
    await disk.change(ENOUGH);
    const store = await openLayoutStore(folder);
    expect(await store.listTags()).toHaveLength(outcome === "done" ? 1 : 0);
    expect(await readdir(join(folder, "ingest")).catch(() => [])).toEqual([]);
    expect((await store.verify({ deep: true })).problems).toEqual([]);
    await copyImage(from, store, image.index, { tag: "a:1" });
    expect(await store.verify({ deep: true })).toMatchObject({ problems: [] });
    expect((await store.resolveManifest("a:1")).digest).toBe(image.index.digest);
    expect((await readdir(folder)).filter((name) => name.includes("lock."))).toEqual([]);
  });

  test.each([...SIZES, ...INODES])("leaves a registry sound that goes on after that: %s", async (options) => {
    disk = await mountSmallDisk(options);
    const folder = join(disk.path, "registry");
    const from = createMemoryStore();
    const image = await addSampleImage(from, { size: 50_000 });
    const push = async (): Promise<void> => {
      server ??= await startRegistryServer({ folder, stopTimeout: 100, uploadTimeout: 500 });
      const to = openRegistryRepository(
        { registry: server.address, repository: "a" },
        { retry: { tries: 2, firstDelay: 1 } },
      );
      await copyImage(from, to, image.index, { tag: "v1" });
    };
    const outcome = await codeOf(push);
    // A server that cannot start says what is missing; one that runs says so to the client.
    expect([server === undefined ? "DISK_FULL" : "REGISTRY_FAILED", "done"]).toContain(outcome);
    if (server !== undefined) {
      await expect.poll(async () => readdir(join(folder, "uploads")), { timeout: 10_000 }).toEqual([]);
      expect(await readdir(join(folder, "temporary"))).toEqual([]);
    }
    await disk.change(ENOUGH);
    await push();
    const { address } = server as RegistryServer;
    const to = openRegistryRepository({ registry: address, repository: "a" });
    expect((await to.resolveManifest("v1")).digest).toBe(image.index.digest);
    await server?.close();
    expect((await verifyRegistryFolder(folder, { deep: true })).problems).toEqual([]);
  });
});

describe.runIf(canMountSmallDisk())("a disk that may only be read", () => {
  test("gives what is on it, and says that nothing can be written", async () => {
    disk = await mountSmallDisk(ENOUGH);
    const folder = join(disk.path, "store");
    const image = await addSampleImage(await openLayoutStore(folder), { tag: "a:1", size: 1000 });
    await disk.change("ro");
    const store = await openLayoutStore(folder);
    const copy = createMemoryStore();
    await copyImage(store, copy, await store.resolveManifest("a:1"));
    expect(await copy.hasManifest(image.index)).toBe(true);
    expect((await store.verify({ deep: true })).problems).toEqual([]);
    expect(await codeOf(async () => addSampleImage(store, { size: 1001 }))).toBe("FILE_UNWRITABLE");
    expect(await codeOf(async () => store.tag("b:1", image.index))).toBe("FILE_UNWRITABLE");
    expect(await codeOf(async () => store.removeUnreferenced({ grace: -1 }))).toBe("FILE_UNWRITABLE");
    const serving = startRegistryServer({ folder: join(disk.path, "registry") });
    await expect(serving).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  });
});

/** The code of the error, or `done`. What is no error of ours is a failed test. */
async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    if (error instanceof ToolingError) return error.code;
    throw error;
  }
}
