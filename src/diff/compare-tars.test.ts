// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LayerMember, writeForeignTar } from "../../test/support/layered-image.ts";
import { streamOf } from "../core/byte-stream.ts";
import { compareTars, listTar, type TarDiff } from "./compare-tars.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-tars-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const FILE = { name: "usr/bin/x", content: "hello world" } satisfies LayerMember;
const FOLDER = { name: "usr/bin", type: "directory" } satisfies LayerMember;

describe("compareTars", () => {
  test("tells what came, what went, and what differs in what", async () => {
    const { files } = await compare(
      [FOLDER, FILE, { name: "usr/bin/gone" }],
      [{ ...FOLDER, mode: 0o700 }, { ...FILE, mtime: new Date(1000) }, { name: "usr/bin/y" }],
    );
    expect(files.map(({ kind, path, aspects }) => [kind, path, aspects])).toEqual([
      ["changed", "usr/bin", ["mode"]],
      ["removed", "usr/bin/gone", []],
      ["changed", "usr/bin/x", ["mtime"]],
      ["added", "usr/bin/y", []],
    ]);
  });

  test.each([
    ["mode", { mode: 0o4755 }],
    ["owner", { uid: 7 }],
    ["owner", { gid: 7 }],
    ["mtime", { mtime: new Date(5000) }],
    ["type", { type: "symlink", linkname: "y", content: undefined }],
  ] as const)("sees another %s: %j", async (aspect, change) => {
    const { files } = await compare([FILE], [{ ...FILE, ...change }]);
    expect(files[0]?.aspects).toContain(aspect);
  });

  test("sees another target of a link", async () => {
    const link = { name: "a", type: "symlink", linkname: "b" } as const;
    const { files } = await compare([link], [{ ...link, linkname: "c" }]);
    expect(files).toMatchObject([{ aspects: ["target"], from: { target: "b" }, to: { target: "c" } }]);
  });

  test("finds the byte from which on contents differ, in one reading", async () => {
    let opened = 0;
    const [from, to] = [
      await writeForeignTar([FILE]),
      await writeForeignTar([{ ...FILE, content: "hello World" }]),
    ];
    const open = (tar: Uint8Array) => () => {
      opened += 1;
      return streamOf(tar);
    };
    const { files } = await compareTars(open(from), open(to), { temporaryFolder: folder });
    expect(files).toMatchObject([{ aspects: ["content"], content: { offset: 6 } }]);
    expect(opened).toBe(2);
  });

  test("finds it in archives of any order too, and leaves nothing behind", async () => {
    const members = ["b", "a", "d", "c"].map((name) => ({ name, content: `content of ${name}` }));
    const others = members
      .toReversed()
      .map(({ name, content }) => ({ name, content: content.replace("of d", "of D") }));
    const { files, reordered } = await compare(members, others);
    expect(files).toMatchObject([
      { path: "d", kind: "changed", aspects: ["content"], content: { offset: 11 } },
    ]);
    expect(reordered).toBeDefined();
    expect(await readdir(folder)).toEqual([]);
  });

  test("says so when only the order differs", async () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => ({ name, content: name }));
    const diff = await compare([a, b, c] as LayerMember[], [c, a, b] as LayerMember[]);
    expect(diff).toEqual({ files: [], reordered: "a" });
  });

  test("a path that stands twice is compared in order", async () => {
    const again = { ...FILE, content: "later" };
    expect((await compare([FILE, again], [FILE, again])).files).toEqual([]);
    expect((await compare([FILE, again], [FILE])).files).toMatchObject([
      { kind: "removed", path: FILE.name },
    ]);
  });

  test("names the field of the header that differs when nothing else does", async () => {
    const { files, bytes } = await compare([FOLDER, FILE], [FOLDER, { ...FILE, uname: "root" }]);
    expect(files).toEqual([]);
    // A folder's header, then the name of the owner in the file's: the checksum before it differs as well.
    expect(bytes).toMatchObject({ part: "header", path: FILE.name, field: "uname", offset: 512 + 265 });
  });

  test("tells padding and what follows the archive from headers", async () => {
    const tar = await writeForeignTar([FILE]);
    const padded = Uint8Array.from(tar);
    padded[512 + 100] = 1;
    expect((await compareBytes(tar, padded)).bytes).toMatchObject({ part: "padding", path: FILE.name });
    const longer = Buffer.concat([tar, new Uint8Array(1024)]);
    expect((await compareBytes(tar, longer)).bytes).toMatchObject({ part: "end", offset: tar.byteLength });
  });

  test("finds nothing in equal archives", async () => {
    expect(await compare([FOLDER, FILE], [FOLDER, FILE])).toEqual({ files: [] });
  });

  test("reads whiteouts as what they hide", async () => {
    const { files } = await compare(
      [{ name: "etc/.wh.motd" }],
      [{ name: "etc/.wh..wh..opq" }, { name: "etc/motd", content: "hi" }],
    );
    expect(files.map(({ kind, path, from, to }) => [kind, path, (to ?? from)?.type])).toEqual([
      ["added", "etc", "opaque"],
      ["removed", "etc/motd", "whiteout"],
      ["added", "etc/motd", "file"],
    ]);
  });
});

test("listTar gives all that a layer brings, by path", async () => {
  const tar = await writeForeignTar([{ name: "b" }, { name: "a", type: "directory" }]);
  const files = await listTar(() => streamOf(tar), "removed", {});
  expect(files).toMatchObject([
    { path: "a", kind: "removed", from: { type: "directory" } },
    { path: "b", kind: "removed", from: { type: "file" } },
  ]);
});

async function compare(from: readonly LayerMember[], to: readonly LayerMember[]): Promise<TarDiff> {
  return await compareBytes(await writeForeignTar(from), await writeForeignTar(to));
}

async function compareBytes(from: Uint8Array, to: Uint8Array): Promise<TarDiff> {
  const { files, reordered, bytes } = await compareTars(
    () => streamOf(from),
    () => streamOf(to),
    {
      temporaryFolder: folder,
    },
  );
  return { files, ...(reordered !== undefined && { reordered }), ...(bytes !== undefined && { bytes }) };
}
