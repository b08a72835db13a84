// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOfFile } from "./file-digest.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-digest-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** None, less than a thread is worth, and more, which is no multiple of what is read at once. */
const SIZES = [0, 1000, 17 * 1024 * 1024 + 1, 18 * 1024 * 1024, 19 * 1024 * 1024 + 7];

test("many files at once, small and large, get the digests of their content, each its own", async () => {
  const files = await Promise.all(
    SIZES.map(async (size) => {
      const path = join(folder, String(size));
      const content = randomBytes(size);
      await writeFile(path, content);
      return { path, sha256: createHash("sha256").update(content).digest("hex") };
    }),
  );
  const all = [...files, ...files];
  const found = await Promise.all(all.map(async ({ path }) => digestOfFile(path)));
  expect(found).toEqual(all.map(({ sha256 }) => sha256));
});

test("what cannot be read is told as the file system tells it, and the next file is digested", async () => {
  const large = join(folder, String(SIZES.at(-1)));
  const work = [large, folder, join(folder, "missing"), large].map(async (path) => digestOfFile(path));
  const [first, directory, missing, last] = await Promise.allSettled(work);
  expect([directory, missing]).toMatchObject([
    { status: "rejected", reason: { code: "EISDIR" } },
    { status: "rejected", reason: { code: "ENOENT" } },
  ]);
  expect(first).toEqual(last);
  expect(first?.status).toBe("fulfilled");
});
