// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { type ArchiveEntry, fileEntryOf, sortEntries } from "../archive/index.ts";
import { linkEqualFiles } from "./equal-files.ts";

const LARGE = "x".repeat(5000);

test("a content that several programs have stands once, at the first of their paths", async () => {
  const hardlink: ArchiveEntry = {
    type: "hardlink",
    path: "usr/bin/a",
    target: "usr/lib/git",
    mode: 0o755,
    uid: 0,
    gid: 0,
  };
  const entries = sortEntries([
    fileEntryOf("usr/lib/git", LARGE, { mode: 0o755 }),
    fileEntryOf("usr/bin/git", LARGE, { mode: 0o755 }),
    fileEntryOf("opt/x/git", LARGE, { mode: 0o755 }),
    hardlink,
  ]);
  expect(await namesOf(entries)).toEqual([
    "opt/x/git",
    "usr/bin/a = opt/x/git",
    "usr/bin/git = opt/x/git",
    "usr/lib/git = opt/x/git",
  ]);
});

test("files stay apart that differ in a byte, in mode or owner, that are small, or that people write to", async () => {
  const entries = sortEntries([
    fileEntryOf("usr/a", LARGE),
    fileEntryOf("usr/b", `y${LARGE.slice(1)}`),
    fileEntryOf("usr/c", LARGE, { mode: 0o755 }),
    fileEntryOf("usr/d", LARGE, { gid: 5 }),
    fileEntryOf("etc/e", LARGE),
    fileEntryOf("etc/f", LARGE),
    fileEntryOf("usr/g", "small"),
    fileEntryOf("usr/h", "small"),
  ]);
  expect(await linkEqualFiles(entries)).toBe(entries);
});

/** Paths of files, and what links lead to. */
async function namesOf(entries: readonly ArchiveEntry[]): Promise<readonly string[]> {
  return (await linkEqualFiles(entries)).flatMap((entry) => {
    if (entry.type === "hardlink") return `${entry.path} = ${entry.target}`;
    return entry.type === "file" ? entry.path : [];
  });
}
