// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { trimObjects } from "./go-object-cache.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "objects-"));
  await mkdir(join(folder, "ab"));
  for (let age = 1; age <= 4; age += 1) {
    const file = join(folder, "ab", `object-${age}`);
    await writeFile(file, Buffer.alloc(1000));
    await utimes(file, 1_000_000 - age, 1_000_000 - age);
  }
  await writeFile(join(folder, "README"), Buffer.alloc(10_000));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("an object cache within its limit is left alone", async () => {
  await trimObjects(folder, { limit: 4000 });
  expect(await readdir(join(folder, "ab"))).toHaveLength(4);
});

test("one beyond it loses what was not used for longest, and nothing that is no object", async () => {
  await trimObjects(folder, { limit: 3000 });
  expect((await readdir(join(folder, "ab"))).toSorted()).toEqual(["object-1", "object-2"]);
  expect(await readdir(folder)).toContain("README");
});
