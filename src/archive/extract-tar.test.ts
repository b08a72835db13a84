// SPDX-License-Identifier: Apache-2.0
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import { fileEntryOf } from "./archive-entry.ts";
import { extractTar, type ExtractTarOptions } from "./extract-tar.ts";
import { collisionKey } from "./path-policy.ts";
import { formatPaxRecords } from "./pax.ts";
import { formatTarHeader } from "./tar-header.ts";
import { writeTar } from "./write-tar.ts";

let outside: string;
let folder: string;

beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), "extract-"));
  folder = join(outside, "in", "root");
  await writeFile(join(outside, "canary"), "untouched");
});

afterEach(async () => {
  await rm(outside, { recursive: true, force: true });
});

describe("extractTar", () => {
  test("unpacks files, directories and links", async () => {
    const report = await extract([
      directory("d", 0o555),
      file("d/f", "hello", 0o755),
      symbolic("d/s", "f"),
      hard("h", "d/f"),
      file("deep/er/x", ""),
    ]);
    expect(report).toEqual({ entries: 5, size: 5 });
    expect(await readFile(join(folder, "d/s"), "utf8")).toBe("hello");
    expect((await stat(join(folder, "d/f"))).mode & 0o777).toBe(0o755);
    expect((await stat(join(folder, "h"))).ino).toBe((await stat(join(folder, "d/f"))).ino);
    expect((await stat(join(folder, "d"))).mode & 0o777).toBe(0o755);
  });

  test.each<[string, readonly Member[]]>([
    ["a symlink to outside", [symbolic("s", "../../canary")]],
    ["an absolute symlink", [symbolic("s", "/etc/passwd")]],
    ["a file through a symlink", [symbolic("s", "."), file("s/x", "bad")]],
    ["a file through a symlink to outside", [symbolic("s", ".."), file("s/canary", "bad")]],
    ["a chain of symlinks", [symbolic("a", "."), symbolic("a/b", ".."), file("a/b/canary", "bad")]],
    ["a symlink, then a file of its name", [symbolic("s", "x"), file("s", "bad")]],
    ["a directory, then a symlink of its name", [directory("d"), symbolic("d", "."), file("d/x", "bad")]],
    ["a hard link to a symlink", [symbolic("s", "x"), hard("h", "s")]],
    ["a hard link to nothing", [hard("h", "canary")]],
    ["a hard link to itself", [file("h", ""), hard("h", "h")]],
    ["a hard link to a directory", [directory("d"), hard("h", "d")]],
    [
      "a hard link through a symlink",
      [directory("d"), file("d/f", ""), symbolic("s", "d"), hard("h", "s/f")],
    ],
    ["a path twice", [file("f", "1"), file("f", "2")]],
    ["names that differ in case only", [file("README", "1"), file("readme", "2")]],
    ["names that differ in their Unicode form only", [file("caf\u00e9", "1"), file("cafe\u0301", "2")]],
    ["names that fold to the same", [file("stra\u00dfe", "1"), file("STRASSE", "2")]],
    ["a character device", [{ name: "null", typeflag: "3" }]],
    ["a block device", [{ name: "sda", typeflag: "4" }]],
    ["a fifo", [{ name: "pipe", typeflag: "6" }]],
    ["a name that Windows reserves", [file("a/NUL.txt", "")]],
    ["an alternate data stream", [file("a:b", "")]],
    ["a name that ends in a dot", [file("a.", "")]],
    ["a path that climbs", [file("a/../../canary", "bad")]],
    ["an absolute path", [file("/tmp/canary", "bad")]],
  ])("refuses %s and touches nothing outside", async (_, members) => {
    await expect(extract(members)).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
    expect(await readFile(join(outside, "canary"), "utf8")).toBe("untouched");
    expect((await lstat(join(outside, "canary"))).nlink).toBe(1);
    expect((await readdir(outside)).toSorted()).toEqual(["canary", "in"]);
    expect(await readdir(join(outside, "in"))).toEqual(["root"]);
  });

  test("does not write through a link that was there before", async () => {
    await mkdir(folder, { recursive: true });
    await symlink(join(outside, "canary"), join(folder, "f"));
    await symlink(outside, join(folder, "d"));
    await extract([file("f", "new")]);
    expect(await readFile(join(outside, "canary"), "utf8")).toBe("untouched");
    await expect(extract([file("d/canary", "bad")])).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
  });

  test("drops setuid bits, world-writability and attributes, and says so", async () => {
    const said: string[] = [];
    const attribute = formatPaxRecords({ "SCHILY.xattr.security.capability": "x" });
    const members: Member[] = [
      file("s", "", 0o6755),
      file("w", "", 0o666),
      { name: "p", typeflag: "x", content: Buffer.from(attribute).toString() },
      file("c", ""),
    ];
    await extract(members, { onSkip: (path, reason) => said.push(`${path}: ${reason}`) });
    expect((await stat(join(folder, "s"))).mode & 0o7777).toBe(0o755);
    expect((await stat(join(folder, "w"))).mode & 0o7777).toBe(0o664);
    expect(said).toEqual([
      "s: setuid and setgid bits are dropped",
      "w: write permission for everybody is dropped",
      "c: extended attributes are dropped",
    ]);
    await extract([file("kept", "", 0o4755)], { allowSetuid: true });
    expect((await stat(join(folder, "kept"))).mode & 0o7777).toBe(0o4755);
  });

  test("stops at more content than allowed", async () => {
    await expect(extract([file("f", "12345")], { limits: { size: 4 } })).rejects.toMatchObject({
      code: "ARCHIVE_LIMIT_EXCEEDED",
    });
  });
});

describe("extractTar of a layer", () => {
  const layer = { layer: true } as const;

  test("takes one that ends after its last member, and no other archive", async () => {
    const tar = await collectBytes(writeTar([fileEntryOf("a", "one")]));
    const cut = tar.subarray(0, 512 + 3);
    await extractTar(streamOf(cut), folder, layer);
    expect(await readFile(join(folder, "a"), "utf8")).toBe("one");
    await expect(extractTar(streamOf(cut), folder)).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
  });

  test("hides what its whiteouts name, of the layers below only", async () => {
    await extract(
      [file("a/gone", "1"), file("a/kept", "2"), file("dir/x/y", "3"), file("link-target", "4")],
      layer,
    );
    await extract(
      [file("a/.wh.gone", ""), file("a/new", ""), file(".wh.dir", ""), file("a/.wh.new", "")],
      layer,
    );
    expect((await readdir(join(folder, "a"))).toSorted()).toEqual(["kept", "new"]);
    expect((await readdir(folder)).toSorted()).toEqual(["a", "link-target"]);
  });

  test.each([
    ["before", 0],
    ["after", 2],
  ])("empties an opaque directory, named %s its new content", async (_, at) => {
    await extract([file("d/old", ""), file("d/sub/old", ""), file("d/sub/deep", "")], layer);
    const members = [file("d/new", ""), file("d/sub/new", "")];
    members.splice(at, 0, file("d/.wh..wh..opq", ""));
    await extract(members, layer);
    expect((await readdir(join(folder, "d"))).toSorted()).toEqual(["new", "sub"]);
    expect(await readdir(join(folder, "d/sub"))).toEqual(["new"]);
  });

  test("lets a link stand for a directory, inside the root only", async () => {
    await extract([directory("usr/bin"), symbolic("bin", "usr/bin"), symbolic("abs", "/usr")], layer);
    await extract([file("bin/x", "1"), file("abs/y", "2")], layer);
    expect(await readFile(join(folder, "usr/bin/x"), "utf8")).toBe("1");
    expect(await readFile(join(folder, "usr/y"), "utf8")).toBe("2");
    expect(await readlink(join(folder, "bin"))).toBe("usr/bin");
  });

  test.each([
    ["climbs", "../../../../.."],
    ["is absolute", "/"],
  ])("keeps a link whose text %s inside the root", async (_, target) => {
    await extract(
      [symbolic("out", target), file("out/canary", "inside"), file("out/.wh.nothing", "")],
      layer,
    );
    expect(await readFile(join(folder, "canary"), "utf8")).toBe("inside");
    expect(await readFile(join(outside, "canary"), "utf8")).toBe("untouched");
  });

  test("refuses links in a ring, and whiteouts of nothing", async () => {
    await expect(
      extract([symbolic("a", "b"), symbolic("b", "a"), file("a/x", "")], layer),
    ).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
    for (const name of [".wh.", ".wh..", ".wh..."]) {
      await expect(extract([file(`d/${name}`, "")], layer)).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
    }
    await expect(extract([hard("h", "no/such")], layer)).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
  });

  test("lets the last of several members win, whatever they are", async () => {
    await extract(
      [file("f", "1"), file("f", "22"), directory("d"), file("d/x", ""), file("d", "file")],
      layer,
    );
    expect(await readFile(join(folder, "f"), "utf8")).toBe("22");
    expect(await readFile(join(folder, "d"), "utf8")).toBe("file");
    await extract([directory("f"), file("f/x", "below"), symbolic("d", "f"), directory("d")], layer);
    expect(await readFile(join(folder, "f/x"), "utf8")).toBe("below");
    expect((await lstat(join(folder, "d"))).isDirectory()).toBe(true);
  });

  test("keeps names that differ in case, and what everybody may write to", async () => {
    await extract([directory("tmp", 0o1777), file("A", "1"), file("a", "2")], layer);
    expect((await stat(join(folder, "tmp"))).mode & 0o7777).toBe(0o1777);
    expect((await readdir(folder)).toSorted()).toEqual(["A", "a", "tmp"]);
  });

  test("leaves devices out and says so", async () => {
    const said: string[] = [];
    await extract([{ name: "dev/null", typeflag: "3" }], { ...layer, onSkip: (path) => said.push(path) });
    expect(said).toEqual(["dev/null"]);
  });
});

test("collisionKey joins what some file system takes for one", () => {
  expect(collisionKey("A/\u00c9")).toBe(collisionKey("a/e\u0301"));
  expect(collisionKey("\u017f")).toBe(collisionKey("s"));
  expect(collisionKey("a")).not.toBe(collisionKey("b"));
});

interface Member {
  readonly name: string;
  readonly typeflag: string;
  readonly target?: string;
  readonly content?: string;
  readonly mode?: number;
}

function file(name: string, content: string, mode = 0o644): Member {
  return { name, typeflag: "0", content, mode };
}

function directory(name: string, mode = 0o755): Member {
  return { name: `${name}/`, typeflag: "5", mode };
}

function symbolic(name: string, target: string): Member {
  return { name, typeflag: "2", target };
}

function hard(name: string, target: string): Member {
  return { name, typeflag: "1", target };
}

async function extract(
  members: readonly Member[],
  options: ExtractTarOptions = {},
): Promise<{ entries: number; size: number }> {
  const blocks = members.map(({ name, typeflag, target = "", content = "", mode = 0o644 }) => {
    const body = Buffer.from(content);
    const fields = { prefix: "", target, size: body.byteLength, mode, uid: 0, gid: 0, mtime: 1000, typeflag };
    const header = formatTarHeader({ ...fields, name: Buffer.from(name).toString("latin1") });
    return Buffer.concat([
      header,
      body,
      new Uint8Array(Math.ceil(body.byteLength / 512) * 512 - body.byteLength),
    ]);
  });
  return await extractTar(streamOf(Buffer.concat([...blocks, new Uint8Array(1024)])), folder, options);
}
