// SPDX-License-Identifier: Apache-2.0
// Whoever reads a stream whose chunks are lent must have done with each before he asks for the next.
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { lentBytes } from "../../test/support/lent-bytes.ts";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import { type ArchiveEntry, fileEntryOf } from "./archive-entry.ts";
import { compressGzip } from "./compress-gzip.ts";
import { compressZstd } from "./compress-zstd.ts";
import { decompress } from "./decompress.ts";
import { readAr } from "./read-ar.ts";
import { readTar } from "./read-tar.ts";
import { sortEntries } from "./sort-entries.ts";
import { writeTar } from "./write-tar.ts";

const CONTENT = Buffer.concat([randomBytes(700_000), Buffer.alloc(900_000, "text "), randomBytes(700_000)]);
const SIZES = [1000, 4096, 65_536, 100_001, 3_000_000];

describe.each(SIZES)("from chunks of %i bytes that are lent", (size) => {
  test("gzip and zstd come as from others, and back", async () => {
    for (const compress of [compressGzip, compressZstd]) {
      const packed = await collectBytes(compress(lentBytes(CONTENT, size)));
      expect(Buffer.compare(packed, await collectBytes(compress(streamOf(CONTENT))))).toBe(0);
      const back = await collectBytes(decompress(lentBytes(packed, size)));
      expect(CONTENT.equals(back)).toBe(true);
    }
  });

  test("a tar, and what is read from one", async () => {
    const entries = sortEntries([
      lentEntry("bin/tool", CONTENT, size),
      lentEntry("etc/empty", new Uint8Array(0), size),
      ...Array.from({ length: 300 }, (_, index) =>
        lentEntry(`share/${index}`, CONTENT.subarray(index, index * 17), size),
      ),
      { type: "symlink", path: "l", target: "t".repeat(300), mode: 0o777, uid: 0, gid: 0 },
    ]);
    const tar = await collectBytes(writeTar(entries));
    const found: [string, number, boolean][] = [];
    for await (const { path, content, size: length } of readTar(lentBytes(tar, size))) {
      const entry = entries.find((entry) => entry.path === path);
      const expected = entry?.type === "file" ? await collectBytes(entry.open()) : new Uint8Array(0);
      found.push([path, length, Buffer.from(expected).equals(await collectBytes(content))]);
    }
    expect(found).toEqual(entries.map((entry) => [entry.path, entry.type === "file" ? entry.size : 0, true]));
  });

  test("an ar archive", async () => {
    const members = [Buffer.from("2.0\n"), CONTENT, CONTENT.subarray(0, 99)];
    const bytes = Buffer.concat([
      Buffer.from("!<arch>\n"),
      ...members.flatMap((member, index) => [arHeader(`m${index}`, member.byteLength), member, pad(member)]),
    ]);
    const found: boolean[] = [];
    for await (const { content } of readAr(lentBytes(bytes, size))) {
      found.push(members[found.length]?.equals(await collectBytes(content)) === true);
    }
    expect(found).toEqual([true, true, true]);
  });
});

test("content that is not compressed keeps its first bytes, which are looked at", async () => {
  const content = CONTENT.subarray(0, 10_000);
  expect(content.equals(await collectBytes(decompress(lentBytes(content, 4))))).toBe(true);
});

test("a gzip stream that breaks in a lent chunk is refused as such", async () => {
  const packed = gzipSync(CONTENT);
  const cut = packed.subarray(0, packed.byteLength / 2);
  await expect(collectBytes(decompress(lentBytes(cut, 1000)))).rejects.toMatchObject({
    code: "ARCHIVE_INVALID",
  });
});

function lentEntry(path: string, content: Uint8Array, size: number): ArchiveEntry {
  return { ...fileEntryOf(path, content), open: () => lentBytes(content, size) };
}

function arHeader(name: string, size: number): Buffer {
  return Buffer.from(
    `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"644".padEnd(8)}${String(size).padEnd(10)}\`\n`,
  );
}

function pad(member: Uint8Array): Buffer {
  return Buffer.alloc(member.byteLength % 2, "\n");
}
