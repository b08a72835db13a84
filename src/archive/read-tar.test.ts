// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type LentBytes, collectBytes, streamOf } from "../core/byte-stream.ts";
import { fileEntryOf } from "./archive-entry.ts";
import { formatPaxRecords } from "./pax.ts";
import { readTar, type ReadTarOptions, type TarMember } from "./read-tar.ts";
import { sortEntries } from "./sort-entries.ts";
import { formatTarHeader } from "./tar-header.ts";
import { writeTar } from "./write-tar.ts";

describe("readTar", () => {
  test("reads the content of some members and skips that of others", async () => {
    const tar = await sample();
    const contents: string[] = [];
    for await (const member of readTar(chunksOf(tar, 100))) {
      if (member.path === "b") continue;
      contents.push(new TextDecoder().decode(await collectBytes(member.content)));
    }
    expect(contents).toEqual(["one", "three"]);
  });

  test.each([1, 7, 511, 512, 513, 10_000])(
    "does not depend on how the bytes are cut: by %i",
    async (size) => {
      const tar = await sample();
      expect(await listOf(chunksOf(tar, size))).toEqual(["a", "b", "c"]);
    },
  );

  test("refuses an archive that is cut short, wherever that is", async () => {
    const tar = await sample();
    for (let part = 0; part < 16; part += 1) {
      const cut = tar.subarray(0, Math.floor((tar.byteLength * part) / 16));
      await expect(listOf(streamOf(cut))).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
    }
  });

  test("reads a layer that ends after any member, as umoci writes it, and no other archive", async () => {
    const tar = await collectBytes(writeTar(sortEntries([fileEntryOf("a", "one"), fileEntryOf("b", "two")])));
    const ends = [515 + 1024, 2048, 2048 + 512];
    for (const end of ends) {
      expect(await listOf(streamOf(tar.subarray(0, end)), { layer: true })).toEqual(["a", "b"]);
      await expect(listOf(streamOf(tar.subarray(0, end)))).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
    }
    for (const end of [100, 514, 600, 1024 + 100, 1024 + 514, 2048 + 100]) {
      const cut = listOf(streamOf(tar.subarray(0, end)), { layer: true });
      await expect(cut).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
    }
  });

  test("tells where headers and contents stand", async () => {
    const tar = await collectBytes(writeTar(sortEntries([fileEntryOf("a", "one"), fileEntryOf("é", "two")])));
    const positions: TarMember["position"][] = [];
    for await (const { position } of readTar(streamOf(tar))) positions.push(position);
    // The second path is not ASCII, and has an extended header with its records in a block of their own.
    expect(positions).toEqual([
      { headers: 0, content: 512 },
      { headers: 1024, content: 1024 + 3 * 512 },
    ]);
  });

  test("refuses what follows the end, but not a blocking factor's zeros", async () => {
    const tar = await sample();
    expect(await listOf(streamOf(Buffer.concat([tar, new Uint8Array(8192)])))).toHaveLength(3);
    await expect(listOf(streamOf(Buffer.concat([tar, Buffer.from("x")])))).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
    });
  });

  test.each([
    ["../x"],
    ["a/../../x"],
    ["/etc/passwd"],
    ["//etc/passwd"],
    ["C:\\x"],
    ["c:/x"],
    ["\\\\host\\x"],
    ["a\\..\\..\\x"],
    [".."],
  ])("refuses the path %s", async (name) => {
    await expect(listOf(streamOf(tarOf({ name })))).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
  });

  test.each(["../x", "/etc/passwd", "a/../../x"])("refuses a hard link to %s", async (target) => {
    await expect(listOf(streamOf(tarOf({ name: "x", typeflag: "1", target })))).rejects.toMatchObject({
      code: "ARCHIVE_UNSAFE",
    });
  });

  test.each([
    ["content in a link", { typeflag: "2", target: "x", size: 10 }],
    ["an unknown kind of member", { typeflag: "S" }],
    ["no name", { name: "" }],
  ])("refuses %s", async (_, header) => {
    await expect(listOf(streamOf(tarOf({ name: "x", ...header })))).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
    });
  });

  test("refuses a changed header", async () => {
    const tar = await sample();
    tar[20] = 1;
    await expect(listOf(streamOf(tar))).rejects.toThrow("checksum");
  });

  test.each([
    ["a negative length", "-1 path=x\n"],
    ["a length beyond the end", "99 path=x\n"],
    ["no equals sign", "9 pathxx\n"],
    ["no final newline", "10 path=xy"],
    ["a broken size", "12 size=1e9\n"],
    ["a broken time", "13 mtime=now\n"],
  ])("refuses extended headers with %s", async (_, body) => {
    await expect(listOf(streamOf(extended(body)))).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
  });

  test("refuses a hostile path in an extended header, and changes no prototype", async () => {
    const climbing = extended(recordOf("path", "../../x"));
    await expect(listOf(streamOf(climbing))).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
    expect(await listOf(streamOf(extended(recordOf("__proto__", "x"))))).toEqual(["x"]);
    expect(await listOf(streamOf(extended(recordOf("__proto__.polluted", "x"))))).toEqual(["x"]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test.each<[string, Required<ReadTarOptions>["limits"]]>([
    ["more members", { entries: 2 }],
    ["more bytes", { size: 2048 }],
  ])("stops at %s than allowed", async (_, limits) => {
    await expect(listOf(chunksOf(await sample(), 512), { limits })).rejects.toMatchObject({
      code: "ARCHIVE_LIMIT_EXCEEDED",
    });
  });

  test("stops at longer paths than allowed, before keeping them", async () => {
    const limits = { pathLength: 2 };
    const entries = [fileEntryOf("abc", "")];
    await expect(listOf(writeTar(entries), { limits })).rejects.toMatchObject({
      code: "ARCHIVE_LIMIT_EXCEEDED",
    });
    const huge = header({ name: "@LongLink", typeflag: "L", size: 5_000_000_000 });
    await expect(listOf(streamOf(huge))).rejects.toMatchObject({ code: "ARCHIVE_LIMIT_EXCEEDED" });
  });

  test("stops when told to, and tells its source", async () => {
    const abort = new AbortController();
    let isClosed = false;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* chunksOf(await sample(), 512);
      } finally {
        isClosed = true;
      }
    };
    await expect(async () => {
      for await (const { path } of readTar(source(), { signal: abort.signal })) {
        if (path === "a") abort.abort(new Error("enough"));
      }
    }).rejects.toThrow("enough");
    expect(isClosed).toBe(true);
  });

  test.skipIf(process.platform === "win32").each(["gnu", "pax", "ustar", "v7", "oldgnu"])(
    "reads what the system's tar writes as %s",
    async (format) => {
      const folder = await mkdtemp(join(tmpdir(), "read-tar-"));
      try {
        const long = "l".repeat(format === "v7" ? 50 : format === "ustar" ? 99 : 180);
        await writeFile(join(folder, long), "content");
        const tar = execFileSync("tar", [`--format=${format}`, "-cf", "-", "."], { cwd: folder });
        const members = [];
        for await (const { path, type, size } of readTar(streamOf(tar))) members.push({ path, type, size });
        expect(members).toContainEqual({ path: "", type: "directory", size: 0 });
        expect(members).toContainEqual({ path: long, type: "file", size: 7 });
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );
});

async function sample(): Promise<Uint8Array> {
  const entries = [fileEntryOf("c", "three"), fileEntryOf("a", "one"), fileEntryOf("b", "two".repeat(500))];
  return new Uint8Array(await collectBytes(writeTar(sortEntries(entries))));
}

interface Header {
  readonly name: string;
  readonly typeflag?: string;
  readonly target?: string;
  readonly size?: number;
}

function header({ name, typeflag = "0", target = "", size = 0 }: Header): Uint8Array {
  return formatTarHeader({ name, prefix: "", typeflag, target, size, mode: 0o644, uid: 0, gid: 0, mtime: 0 });
}

function tarOf(member: Header): Uint8Array {
  return Buffer.concat([header(member), new Uint8Array(1024)]);
}

function extended(body: string): Uint8Array {
  const content = Buffer.alloc(512);
  content.write(body);
  return Buffer.concat([
    header({ name: "x", typeflag: "x", size: body.length }),
    content,
    tarOf({ name: "x" }),
  ]);
}

function recordOf(key: string, value: string): string {
  return Buffer.from(formatPaxRecords({ [key]: value })).toString();
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += size) yield bytes.subarray(offset, offset + size);
}

async function listOf(content: LentBytes, options: ReadTarOptions = {}): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of readTar(content, options)) paths.push(path);
  return paths;
}
