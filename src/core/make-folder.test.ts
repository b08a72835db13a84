// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolder } from "./make-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "folder-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("makes what is missing and says where that begins", async () => {
  expect(await makeFolder(join(folder, "a", "b", "c"), 0o700)).toBe(join(folder, "a"));
  expect(await makeFolder(join(folder, "a", "b", "c"))).toBeUndefined();
  expect((await stat(join(folder, "a", "b"))).mode & 0o777).toBe(0o700);
});

test("fails where a file is in the way", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(makeFolder(join(folder, "file", "b", "c"))).rejects.toMatchObject({ code: "ENOTDIR" });
});
