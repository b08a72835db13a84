// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { matchesTag, readSyncList } from "./sync-list.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sync-list-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function read(text: string): Promise<unknown> {
  const file = join(folder, "list");
  await writeFile(file, text);
  return readSyncList(file);
}

describe("a list of images", () => {
  test("is read from YAML and from JSON", async () => {
    const expected = [
      { from: "a/b", to: "c/d", tags: ["1.*"] },
      { from: "a/b:1", to: "oci:x" },
    ];
    expect(
      await read('images:\n  - { from: a/b, to: c/d, tags: ["1.*"] }\n  - { from: "a/b:1", to: "oci:x" }\n'),
    ).toEqual(expected);
    expect(await read(JSON.stringify({ images: expected }))).toEqual(expected);
  });

  test.each([
    ["no YAML", "images: [", 1],
    ["a key twice", "images:\n  - from: a\n    from: b\n    to: c\n", 3],
    ["a key that is unknown", "images:\n  - { from: a, to: b, tag: c }\n", 1],
    ["nothing", "", 1],
    ["an empty list", "images: []\n", 1],
  ])("with %s is refused, with its place", async (_, text, line) => {
    await expect(read(text)).rejects.toMatchObject({ code: "CONFIG_INVALID", position: { line } });
  });

  test("that is not there is said so", async () => {
    await expect(readSyncList(join(folder, "none"))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});

test.each([
  ["1.4", "1.*", true],
  ["1.4", "1.?", true],
  ["1.14", "1.?", false],
  ["1x4", "1.4", false],
  ["v1.4", "1.*", false],
  ["anything", "*", true],
  ["a+b", "*", false],
  ["latest", "l[a]test", false],
])("tag %s and pattern %s: %s", (tag, pattern, expected) => {
  expect(matchesTag(tag, pattern)).toBe(expected);
});
