// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lentBytes } from "../../test/support/lent-bytes.ts";
import { collectBytes } from "./byte-stream.ts";
import { readFileContent, writeFileContent } from "./file-content.ts";

const CONTENT = randomBytes(1_000_000);

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "content-"));
  path = join(folder, "file");
});
afterEach(async () => rm(folder, { recursive: true }));

describe("readFileContent", () => {
  test.each([
    [{}, 0, 1_000_000],
    [{ start: 0, length: 1 }, 0, 1],
    [{ start: 262_143, length: 262_146 }, 262_143, 524_289],
    [{ start: 999_999 }, 999_999, 1_000_000],
    [{ start: 500_000, length: 9_000_000 }, 500_000, 1_000_000],
    [{ start: 10, length: 0 }, 10, 10],
  ])("gives the part %j", async (range, start, end) => {
    await writeFile(path, CONTENT);
    const found = await collectBytes(readFileContent(path, range));
    expect(CONTENT.subarray(start, end).equals(found)).toBe(true);
  });

  test("lends the same few buffers for the whole of a file", async () => {
    await writeFile(path, Buffer.concat(Array.from({ length: 8 }, () => CONTENT)));
    const buffers = new Set<ArrayBufferLike>();
    let pieces = 0;
    for await (const chunk of readFileContent(path)) {
      buffers.add(chunk.buffer);
      pieces += 1;
    }
    expect(pieces).toBeGreaterThan(25);
    expect(buffers.size).toBeLessThanOrEqual(3);
  });

  test("lends none of them to two readers at once", async () => {
    await writeFile(path, CONTENT);
    const readers = Array.from({ length: 9 }, async (_, index) => {
      const found = await collectBytes(readFileContent(path, { start: index * 1000 }));
      return CONTENT.subarray(index * 1000).equals(found);
    });
    expect(await Promise.all(readers)).toEqual(Array(9).fill(true));
  });

  test("lets go of the file when its reader leaves", async () => {
    await writeFile(path, CONTENT);
    const content = readFileContent(path);
    await content.next();
    await content.return(undefined);
    expect(await content.next()).toEqual({ done: true, value: undefined });
  });

  test("says what the file system says", async () => {
    await expect(collectBytes(readFileContent(path))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(collectBytes(readFileContent(folder))).rejects.toMatchObject({ code: "EISDIR" });
  });
});

describe("writeFileContent", () => {
  test.each([1, 100, 262_144, 300_000])("writes what comes in lent chunks of %i bytes", async (size) => {
    const content = CONTENT.subarray(0, size === 1 ? 1000 : undefined);
    await writeFileContent(path, lentBytes(content, size), { mode: 0o700 });
    expect(content.equals(await readFile(path))).toBe(true);
    expect((await stat(path)).mode & 0o700).toBe(0o700);
  });

  test("makes an empty file of nothing", async () => {
    await writeFileContent(path, lentBytes(new Uint8Array(0), 1));
    expect((await stat(path)).size).toBe(0);
  });

  test("leaves a file that is there alone", async () => {
    await writeFile(path, "mine");
    await expect(writeFileContent(path, lentBytes(CONTENT, 1000))).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(path, "utf8")).toBe("mine");
  });

  test("stops when told to", async () => {
    const stop = new AbortController();
    const content = async function* (): AsyncGenerator<Uint8Array> {
      yield CONTENT;
      stop.abort(new Error("enough"));
      yield CONTENT;
    };
    await expect(writeFileContent(path, content(), { signal: stop.signal })).rejects.toThrow("enough");
  });
});
