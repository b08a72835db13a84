// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { applyBuild, type BuildReport, planBuild } from "../../src/build/index.ts";
import { ToolingError } from "../../src/core/error.ts";
import { createHttpDispatcher } from "../../src/core/http-dispatcher.ts";
import { openLayoutStore } from "../../src/oci/index.ts";
import { createFetcher } from "../../src/sources/index.ts";
import { createTestSources, lockOf } from "../support/small-build.ts";
import { canMountSmallDisk, mountSmallDisk, type SmallDisk } from "../support/small-disk.ts";
import { leftoversIn } from "../support/small-workspace.ts";

const ENOUGH = "size=64m,nr_inodes=10000";

let disk: SmallDisk | undefined;
let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await disk?.remove();
  disk = undefined;
});

describe.runIf(canMountSmallDisk())("a disk that is full", () => {
  test.each(["size=128k,nr_inodes=10000", "size=64m,nr_inodes=4", "size=64m,nr_inodes=6"])(
    "ends a download with that, keeps no part of it, and the next one goes through: %s",
    async (options) => {
      disk = await mountSmallDisk(options);
      const content = randomBytes(300_000);
      const sha256 = createHash("sha256").update(content).digest("hex");
      server = createServer((_, response) => response.end(content)).listen(0, "127.0.0.1");
      await once(server, "listening");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tool`;
      const cacheDir = join(disk.path, "cache");
      const fetchFile = createFetcher({
        cacheDir,
        dispatcher: createHttpDispatcher(),
        now: () => new Date(),
      });
      const request = { url, name: "tool", sha256, size: content.byteLength };
      await expect(fetchFile(request)).rejects.toMatchObject({ code: "DISK_FULL" });
      const partial = join(cacheDir, "files", "partial");
      expect((await readdir(partial).catch(() => [])).filter((name) => name === sha256)).toEqual([]);
      await disk.change(ENOUGH);
      expect(await fetchFile(request)).toMatchObject({ sha256, cached: false });
      expect(await readdir(partial)).toEqual([]);
    },
  );

  test.each([
    ...[4, 12, 24, 48, 72, 96].map((size) => `size=${size}k,nr_inodes=10000`),
    ...[3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33].map((count) => `size=64m,nr_inodes=${count}`),
  ])("ends a build without an image, and the next build makes the same: %s", async (options) => {
    disk = await mountSmallDisk(options);
    const folder = disk.path;
    const outcome = await build(folder).then(
      () => "done",
      (error: unknown) => (error instanceof ToolingError ? error.code : error),
    );
    expect(["DISK_FULL", "done"]).toContain(outcome);
    await disk.change(ENOUGH);
    const store = await openLayoutStore(join(folder, "store"));
    expect(await store.listTags()).toHaveLength(outcome === "done" ? 1 : 0);
    expect(leftoversIn(folder)).toEqual([]);
    const report = await build(folder);
    expect(report.images[0]?.platforms).toHaveLength(2);
    expect(await store.verify({ deep: true })).toMatchObject({ problems: [] });
  });
});

async function build(folder: string): Promise<BuildReport> {
  const store = await openLayoutStore(join(folder, "store"));
  const sources = createTestSources();
  return await applyBuild(planBuild(lockOf()), { store, cacheDir: join(folder, "cache"), sources });
}
