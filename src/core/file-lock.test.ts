// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withFileLock } from "./file-lock.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
  path = join(folder, "deep/lock");
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("withFileLock", () => {
  test("lets one holder in at a time", async () => {
    let inside = 0;
    let most = 0;
    const hold = async (): Promise<void> =>
      withFileLock(path, {}, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await turn();
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 12 }, hold));
    expect(most).toBe(1);
    expect(await readdir(join(folder, "deep"))).toEqual([]);
  });

  test("is released when the work fails", async () => {
    await expect(withFileLock(path, {}, async () => Promise.reject(new Error("boom")))).rejects.toThrow(
      "boom",
    );
    expect(await withFileLock(path, { timeout: 0 }, async () => "free")).toBe("free");
  });

  test("says who is in the way after the timeout", async () => {
    await withFileLock(path, {}, async () => {
      await expect(withFileLock(path, { timeout: 30 }, async () => "never")).rejects.toMatchObject({
        code: "STORE_BUSY",
        message: expect.stringContaining(path),
      });
    });
  });

  test("takes over the lock of a process that died", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    await leaveLock({ pid, host: hostname(), id: "dead" });
    expect(await withFileLock(path, { timeout: 5000 }, async () => "mine")).toBe("mine");
  });

  test("takes over when the number of the dead process now belongs to another", async () => {
    await leaveLock({ pid: process.pid, started: "1", host: hostname(), id: "recycled" });
    expect(await withFileLock(path, { timeout: 5000 }, async () => "mine")).toBe("mine");
  });

  test("respects a lock of another host", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    await leaveLock({ pid, host: "elsewhere", id: "alive" });
    await expect(withFileLock(path, { timeout: 30 }, async () => "never")).rejects.toMatchObject({
      code: "STORE_BUSY",
    });
  });
});

async function leaveLock(owner: object): Promise<void> {
  await withFileLock(path, {}, async () => undefined);
  await writeFile(path, JSON.stringify(owner));
}
