// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeWriteFailure, writeFileAtomically } from "./atomic-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "atomic-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("writeFileAtomically", () => {
  test("replaces the file as a whole, makes parents and ignores the umask", async () => {
    const path = join(folder, "a/b/file");
    const before = process.umask(0o077);
    try {
      await writeFileAtomically(path, "one");
      await writeFileAtomically(path, "two", { mode: 0o640 });
    } finally {
      process.umask(before);
    }
    expect(await readFile(path, "utf8")).toBe("two");
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(join(folder, "a/b"))).toEqual(["file"]);
  });

  test("leaves no temporary file behind and the old content in place when the rename fails", async () => {
    const path = join(folder, "taken");
    await mkdir(path);
    await writeFile(join(path, "old"), "old");
    await expect(writeFileAtomically(path, "new")).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
    expect(await readdir(folder)).toEqual(["taken"]);
    expect(await readFile(join(path, "old"), "utf8")).toBe("old");
  });
});

test.each([
  ["ENOSPC", "DISK_FULL"],
  ["EROFS", "FILE_UNWRITABLE"],
])("a %s becomes %s and keeps its cause", (code, expected) => {
  const cause = Object.assign(new Error(code), { code });
  expect(describeWriteFailure(cause, "/x")).toMatchObject({ code: expected, cause });
});
