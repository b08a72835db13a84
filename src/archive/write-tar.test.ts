// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { extract } from "tar-stream";
import { describe, expect, test } from "vitest";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import { type ArchiveEntry, fileEntryOf } from "./archive-entry.ts";
import { comparePaths, isEntryPath } from "./entry-path.ts";
import { readTar, type TarMember } from "./read-tar.ts";
import { sortEntries } from "./sort-entries.ts";
import { writeTar } from "./write-tar.ts";

const OWNED = { mode: 0o755, uid: 0, gid: 0 };
const LONG = `${"directory-with-a-name/".repeat(8)}file`;

describe("writeTar", () => {
  test("writes plain ustar where that is enough", async () => {
    const tar = await write([
      { type: "directory", path: "bin", ...OWNED },
      fileEntryOf("bin/x", "hello", { mode: 0o4755 }),
      { type: "symlink", path: "bin/y", target: "x", mode: 0o777, uid: 0, gid: 0 },
    ]);
    expect(tar.byteLength).toBe(512 * 6);
    expect(tar.subarray(257, 265)).toEqual(new TextEncoder().encode("ustar\x0000"));
  });

  test.each([
    ["a long path", fileEntryOf(LONG, "x")],
    ["a path with no place to split", fileEntryOf("n".repeat(200), "x")],
    ["a long directory", { type: "directory", path: "d/".repeat(90) + "d", ...OWNED } as const],
    ["a path that is not ASCII", fileEntryOf("käse/ß", "x")],
    ["a long target", { type: "symlink", path: "l", target: "t".repeat(300), ...OWNED } as const],
    ["a target that is not ASCII", { type: "symlink", path: "l", target: "ü", ...OWNED } as const],
    ["a large owner", fileEntryOf("f", "x", { uid: 4_000_000_000, gid: 3_000_000 })],
    ["a backslash", fileEntryOf("system-systemd\\x2dcryptsetup.slice", "x")],
  ])("keeps %s, as two readers see it", async (_, entry) => {
    const tar = await write([entry]);
    const [member] = await read(tar);
    expect(member).toMatchObject({
      path: entry.path,
      type: entry.type,
      uid: entry.uid,
      gid: entry.gid,
      mode: entry.mode,
    });
    if ("target" in entry) expect(member?.target).toBe(entry.target);
    const [header] = await readWithTarStream(tar);
    expect(header?.name.replace(/\/$/, "")).toBe(entry.path);
    if ("target" in entry) expect(header?.linkname).toBe(entry.target);
  });

  test("announces a file of more than 8 GiB in an extended header", async () => {
    const size = 9 * 1024 ** 3;
    const parts: Uint8Array[] = [];
    await expect(async () => {
      for await (const part of writeTar([{ ...fileEntryOf("big", "x"), size }])) parts.push(part);
    }).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
    expect(Buffer.concat(parts).toString("latin1")).toContain(`19 size=${size}\n`);
  });

  test.each([
    ["more than it says", 4, "more than 4"],
    ["less than it says", 6, "only 5"],
  ])("refuses a file that holds %s", async (_, size, reason) => {
    const entry = { ...fileEntryOf("f", "hello"), size };
    await expect(write([entry])).rejects.toMatchObject({
      code: "SIZE_MISMATCH",
      message: expect.stringContaining(reason),
    });
  });

  test.each(["/abs", "a/../b", "./a", "a//b", "a/", "", "a\0b", "..", "C:\\x", "\\x", "a\\..\\b"])(
    "refuses the path %j",
    async (path) => {
      await expect(write([fileEntryOf(path, "")])).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
      expect(() => sortEntries([fileEntryOf(path, "")])).toThrow(
        expect.objectContaining({ code: "ARCHIVE_UNSAFE" }),
      );
    },
  );

  test("refuses a path that comes twice or out of order", async () => {
    await expect(write([fileEntryOf("a", ""), fileEntryOf("a", "")])).rejects.toMatchObject({
      code: "PATH_CONFLICT",
    });
    await expect(write([fileEntryOf("b", ""), fileEntryOf("a", "")])).rejects.toThrow("sort the entries");
  });

  test("gives every entry the one time that was asked for", async () => {
    const tar = await collectBytes(writeTar([fileEntryOf("a", "")], { mtime: 1_700_000_000 }));
    expect((await read(tar))[0]?.mtime).toBe(1_700_000_000);
  });

  test("gives what it was given, whatever it is, in any order", async () => {
    const part = fc
      .stringMatching(/^[^/\0]{1,60}$/u)
      .filter((part) => !/\p{Surrogate}/u.test(part) && part !== "." && part !== "..");
    const path = fc
      .array(part, { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join("/"))
      .filter(isEntryPath);
    const file = fc.record({
      path,
      content: fc.uint8Array({ maxLength: 1500 }),
      mode: fc.nat(0o7777),
      uid: fc.nat(),
    });
    const files = fc.uniqueArray(file, { selector: ({ path }) => path, maxLength: 8 }).filter(haveNoParents);
    await fc.assert(
      fc.asyncProperty(files, async (files) => {
        const entries = files.map(({ path, content, mode, uid }) =>
          fileEntryOf(path, content, { mode, uid }),
        );
        const tar = await write(sortEntries(entries));
        expect(await write(sortEntries(entries.toReversed()))).toEqual(tar);
        const members = (await readAll(tar)).filter(({ type }) => type === "file");
        expect(members.map(({ path, content, mode, uid }) => ({ path, content, mode, uid }))).toEqual(
          files
            .toSorted((a, b) => comparePaths(a.path, b.path))
            .map((file) => ({ ...file, content: new Uint8Array(file.content) })),
        );
      }),
      { numRuns: 60 },
    );
  });

  test.skipIf(process.platform === "win32")("is read by the system's tar", async () => {
    const tar = await write(sortEntries([fileEntryOf("a/b", "hello"), fileEntryOf(LONG, "x")]));
    const list = execFileSync("tar", ["-tf", "-"], { input: tar, encoding: "utf8" });
    expect(list.split("\n")).toContain("a/b");
    expect(list.split("\n")).toContain(LONG);
  });
});

describe("sortEntries", () => {
  test("puts parents first and adds those that are missing", () => {
    const paths = sortEntries([
      fileEntryOf("a/b/c", ""),
      fileEntryOf("a-b", ""),
      fileEntryOf("a/b.x", ""),
    ]).map(({ path, type, mode }) => `${path} ${type} ${mode.toString(8)}`);
    expect(paths).toEqual([
      "a directory 755",
      "a-b file 644",
      "a/b directory 755",
      "a/b.x file 644",
      "a/b/c file 644",
    ]);
  });

  test("makes one of equal directories, and refuses unequal ones", () => {
    const directory = { type: "directory", path: "d", ...OWNED } as const;
    expect(sortEntries([directory, directory])).toEqual([directory]);
    expect(() => sortEntries([directory, { ...directory, mode: 0o700 }])).toThrow('"d" is written twice');
  });

  test.each<[string, ArchiveEntry[]]>([
    ["two files of one path", [fileEntryOf("a", "1"), fileEntryOf("a", "2")]],
    ["a file below a file", [fileEntryOf("a", ""), fileEntryOf("a/b", "")]],
    ["a file below a link", [{ type: "symlink", path: "a", target: "b", ...OWNED }, fileEntryOf("a/b", "")]],
    ["a hard link to nothing", [{ type: "hardlink", path: "a", target: "b", ...OWNED }]],
    ["hard links in a ring", [link("a", "b"), link("b", "a")]],
    ["a hard link to a directory", [link("a", "d"), { type: "directory", path: "d", ...OWNED }]],
  ])("refuses %s", (_, entries) => {
    expect(() => sortEntries(entries)).toThrow(expect.objectContaining({ code: "PATH_CONFLICT" }));
  });

  test("gives the content to the first name of a file", async () => {
    const sorted = sortEntries([fileEntryOf("m", "hello", { mode: 0o600 }), link("z", "b"), link("b", "m")]);
    expect(sorted.map((entry) => [entry.path, entry.type, "target" in entry && entry.target])).toEqual([
      ["b", "file", false],
      ["m", "hardlink", "b"],
      ["z", "hardlink", "b"],
    ]);
    expect((await readAll(await write(sorted)))[0]).toMatchObject({ path: "b", mode: 0o600, size: 5 });
  });
});

function link(path: string, target: string): ArchiveEntry {
  return { type: "hardlink", path, target, ...OWNED };
}

function haveNoParents(files: readonly { path: string }[]): boolean {
  return !files.some((a) => files.some((b) => b.path.startsWith(`${a.path}/`)));
}

async function write(entries: readonly ArchiveEntry[]): Promise<Uint8Array> {
  return new Uint8Array(await collectBytes(writeTar(entries)));
}

async function read(tar: Uint8Array): Promise<TarMember[]> {
  const members: TarMember[] = [];
  for await (const member of readTar(streamOf(tar))) members.push(member);
  return members;
}

async function readAll(tar: Uint8Array): Promise<(Omit<TarMember, "content"> & { content: Uint8Array })[]> {
  const members = [];
  for await (const member of readTar(streamOf(tar))) {
    members.push({ ...member, content: await collectBytes(member.content) });
  }
  return members;
}

/** Another implementation's view. */
async function readWithTarStream(tar: Uint8Array): Promise<{ name: string; linkname?: string | null }[]> {
  const reader = extract();
  reader.end(Buffer.from(tar));
  const headers = [];
  for await (const entry of reader) {
    headers.push(entry.header);
    entry.resume();
  }
  return headers;
}
