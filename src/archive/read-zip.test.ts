// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { collectBytes } from "../core/byte-stream.ts";
import { readZip, type ReadZipOptions } from "./read-zip.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "read-zip-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("readZip", () => {
  test("reads files, directories and links with their modes", async () => {
    const found = await read([
      { name: "bin/", mode: 0o40755 },
      { name: "bin/tool", content: "hello", mode: 0o100755 },
      { name: "bin/link", content: "tool", mode: 0o120777 },
      { name: "plain", content: "x" },
    ]);
    expect(found).toEqual([
      ["bin", "directory", 0o755, ""],
      ["bin/tool", "file", 0o755, "hello"],
      ["bin/link", "symlink", 0o777, "tool"],
      ["plain", "file", 0o644, "x"],
    ]);
  });

  test.each(["../x", "/etc/x", "a/../../x", "C:/x", "..\\x"])("refuses the path %s", async (name) => {
    await expect(read([{ name, content: "x" }])).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
  });

  test.each<[string, readonly Member[]]>([
    ["names that come twice", [{ name: "a" }, { name: "A" }]],
    ["encryption", [{ name: "a", flags: 1 }]],
    ["a wrong checksum", [{ name: "a", content: "hello", crc: 1 }]],
    ["more content than announced", [{ name: "a", content: "hello", size: 3 }]],
    ["less content than announced", [{ name: "a", content: "hello", size: 30 }]],
  ])("refuses %s", async (_, members) => {
    await expect(read(members)).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
  });

  test("refuses devices", async () => {
    await expect(read([{ name: "a", mode: 0o20644 }])).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
  });

  test("stops at more members or bytes than allowed", async () => {
    const members = [{ name: "a", content: "hello" }, { name: "b" }];
    for (const limits of [{ entries: 1 }, { size: 4 }]) {
      await expect(read(members, { limits })).rejects.toMatchObject({ code: "ARCHIVE_LIMIT_EXCEEDED" });
    }
    const bomb = [{ name: "a", content: "x", size: 4_000_000_000 }];
    await expect(read(bomb)).rejects.toMatchObject({ code: "ARCHIVE_LIMIT_EXCEEDED" });
  });

  test("refuses what is no zip archive, and says when there is none", async () => {
    await writeFile(join(folder, "x.zip"), "not a zip");
    await expect(list(join(folder, "x.zip"))).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
    await expect(list(join(folder, "none.zip"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});

interface Member {
  readonly name: string;
  readonly content?: string;
  /** Unix type and permission bits. Absent: made on another system. */
  readonly mode?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly size?: number;
}

async function read(members: readonly Member[], options?: ReadZipOptions): Promise<unknown[]> {
  const path = join(folder, "archive.zip");
  await writeFile(path, zipOf(members));
  return await list(path, options);
}

async function list(path: string, options?: ReadZipOptions): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { path: name, type, mode, content } of readZip(path, options)) {
    found.push([name, type, mode, Buffer.from(await collectBytes(content)).toString()]);
  }
  return found;
}

function zipOf(members: readonly Member[]): Uint8Array {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, content = "", mode, flags = 0, crc, size } of members) {
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc ?? crc32(content), 10);
    common.writeUInt32LE(packed.byteLength, 14);
    common.writeUInt32LE(size ?? content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]);
    const made = Buffer.from([20, mode === undefined ? 0 : 3]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((mode ?? 0) << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from("PK\x01\x02"), made, common, rest, Buffer.from(name)]));
    locals.push(local);
    offset += local.byteLength;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(central.byteLength, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, central, Buffer.from("PK\x05\x06"), end]);
}
