// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type LentBytes, collectBytes, streamOf } from "../core/byte-stream.ts";
import { compressGzip, GZIP_MEMBER_SIZE } from "./compress-gzip.ts";
import { compressZstd } from "./compress-zstd.ts";
import { decompress } from "./decompress.ts";
import { WORKER_THREADS } from "../core/worker-thread.ts";

const TEXT = Buffer.from("The quick brown fox jumps over the lazy dog. ".repeat(3000));
/** `xz -6` of "hello" and a newline. */
const XZ_HELLO = Buffer.from(
  "fd377a585a000004e6d6b4460200210116000000742fe5a301000568656c6c6f0a000000a56097f194f6fde000011e06c12fa41d1fb6f37d010000000004595a",
  "hex",
);

describe("compressGzip", () => {
  test.each([0, 1, 1000, GZIP_MEMBER_SIZE, GZIP_MEMBER_SIZE + 1, 3 * GZIP_MEMBER_SIZE])(
    "gives %i bytes back through another decoder",
    async (size) => {
      const content = randomBytes(size);
      const packed = await collectBytes(compressGzip(chunksOf(content, 100_000)));
      expect(Buffer.compare(gunzipSync(packed), content)).toBe(0);
      expect(countMembers(packed)).toBe(Math.max(1, Math.ceil(size / GZIP_MEMBER_SIZE)));
      expect(Buffer.from(await collectBytes(decompress(streamOf(packed)))).equals(content)).toBe(true);
    },
  );

  test("gives the same bytes however the content is cut, and however many streams there are", async () => {
    const content = Buffer.concat(Array.from({ length: 60 }, () => TEXT));
    const sizes = [1000, 65_536, 1_000_000, content.byteLength];
    const packed = await Promise.all(
      sizes.map(async (size) => await collectBytes(compressGzip(chunksOf(content, size)))),
    );
    const digests = packed.map((bytes) => createHash("sha256").update(bytes).digest("hex"));
    expect(new Set(digests).size).toBe(1);
  });

  test("writes no time and no system into the header", async () => {
    const packed = await collectBytes(compressGzip(streamOf(TEXT), { level: 12 }));
    expect(Buffer.from(packed.subarray(0, 10)).toString("hex")).toBe("1f8b08000000000000ff");
  });

  test("stops when told to, reads no more, and works on afterwards", async () => {
    const abort = new AbortController();
    let read = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        read += 1;
        if (read === 20) abort.abort(new Error("enough"));
        yield new Uint8Array(GZIP_MEMBER_SIZE);
      }
    };
    await expect(collectBytes(compressGzip(endless(), { signal: abort.signal }))).rejects.toThrow("enough");
    expect(read).toBe(20);
    expect((await collectBytes(compressGzip(streamOf(TEXT)))).byteLength).toBeGreaterThan(0);
  });

  test("keeps only a few members in flight for a slow reader", async () => {
    let read = 0;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (; read < 40; read += 1) yield new Uint8Array(GZIP_MEMBER_SIZE);
    };
    const packed = compressGzip(source());
    await packed.next();
    expect(read).toBeLessThanOrEqual(WORKER_THREADS + 2);
    await packed.return(undefined);
  });
});

describe("decompress", () => {
  test("tells the format from the first bytes", async () => {
    expect(await textOf(streamOf(gzipSync("hello\n")))).toBe("hello\n");
    expect(await textOf(chunksOf(XZ_HELLO, 1))).toBe("hello\n");
    expect(await textOf(compressZstd(streamOf(Buffer.from("hello\n"))))).toBe("hello\n");
    expect(await textOf(streamOf(Buffer.from("hello\n")))).toBe("hello\n");
    expect(await textOf(streamOf(new Uint8Array(0)))).toBe("");
    await expect(textOf(streamOf(Buffer.from("BZh91AY&SY")))).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
    });
  });

  test.each<[string, () => Promise<Uint8Array>]>([
    ["gzip", async () => gzipSync(TEXT)],
    ["xz", async () => XZ_HELLO],
    ["zstd", async () => await collectBytes(compressZstd(streamOf(TEXT)))],
  ])("refuses %s that is cut short, and all that follows its end", async (format, make) => {
    const whole = Buffer.from(await make());
    for (let part = 1; part < 16; part += 1) {
      const cut = whole.subarray(0, Math.floor((whole.byteLength * part) / 16));
      await expect(textOf(streamOf(cut), format)).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
    }
    await expect(textOf(streamOf(new Uint8Array(0)), format)).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
    });
    for (const garbage of ["x", "garbage, and more than a block header of it"]) {
      const pieces = [Buffer.concat([whole, Buffer.from(garbage)])];
      await expect(textOf(listed(pieces), format)).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
      await expect(textOf(listed([whole, Buffer.from(garbage)]), format)).rejects.toMatchObject({
        code: "ARCHIVE_INVALID",
      });
    }
    expect(await textOf(listed([whole, whole]), format)).toBe((await textOf(streamOf(whole))).repeat(2));
  });

  test.each<[string, () => Promise<Uint8Array>]>([
    ["gzip", async () => gzipSync(TEXT)],
    ["xz", async () => XZ_HELLO],
    ["zstd", async () => await collectBytes(compressZstd(streamOf(randomBytes(200_000))))],
  ])("refuses damaged %s or gives other bytes, but never hangs", async (format, make) => {
    const whole = Buffer.from(await make());
    for (let at = 0; at < whole.byteLength; at += Math.ceil(whole.byteLength / 40)) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      const outcome = await textOf(streamOf(damaged), format).catch((error: unknown) => error);
      if (typeof outcome !== "string") expect(outcome).toMatchObject({ code: /^ARCHIVE_/ });
    }
  });

  test("stops a bomb early", async () => {
    const bomb = gzipSync(new Uint8Array(200 * 1024 * 1024));
    let given = 0;
    await expect(async () => {
      for await (const chunk of decompress(streamOf(bomb))) given += chunk.byteLength;
    }).rejects.toMatchObject({ code: "ARCHIVE_LIMIT_EXCEEDED" });
    expect(given).toBeLessThan(70 * 1024 * 1024);
    await expect(textOf(streamOf(gzipSync(TEXT)), undefined, 1000)).rejects.toMatchObject({
      code: "ARCHIVE_LIMIT_EXCEEDED",
    });
  });

  test("refuses a zstd frame that asks for too large a window, also as a second one", async () => {
    const good = Buffer.from(await collectBytes(compressZstd(streamOf(TEXT))));
    const greedy = Buffer.from("28b52ffd00a8010000", "hex");
    const claims = Buffer.from("28b52ffda0ffffff7f010000", "hex");
    for (const content of [greedy, claims, Buffer.concat([good, greedy])]) {
      await expect(textOf(streamOf(content))).rejects.toMatchObject({ code: "ARCHIVE_LIMIT_EXCEEDED" });
    }
  });

  test("lets many xz streams be read in turns", async () => {
    const streams = Array.from({ length: 20 }, () => decompress(streamOf(XZ_HELLO))[Symbol.asyncIterator]());
    const firsts = await Promise.all(streams.map(async (stream) => await stream.next()));
    expect(firsts.map(({ value }) => Buffer.from(value as Uint8Array).toString())).toEqual(
      Array(20).fill("hello\n"),
    );
    await Promise.all(streams.map(async (stream) => await stream.return(undefined)));
  });

  test("tells its source when its reader leaves", async () => {
    for (const [format, content] of Object.entries({ gzip: gzipSync(TEXT), xz: XZ_HELLO })) {
      let isClosed = false;
      const source = async function* (): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield content;
        } finally {
          isClosed = true;
        }
      };
      for await (const chunk of decompress(source(), { format: format as "gzip" })) if (chunk) break;
      expect(isClosed).toBe(true);
    }
  });

  test("passes its source's errors on as they are", async () => {
    await expect(textOf(breakOff())).rejects.toThrow("connection lost");
  });
});

test.runIf(hasProgram("xz"))("decompress reads what xz writes", async () => {
  const content = Buffer.concat([TEXT, randomBytes(300_000), TEXT]);
  for (const options of [["-0"], ["-6", "--check=crc32"], ["-T2", "--block-size=100KiB"]]) {
    const packed = execFileSync("xz", [...options, "-c"], { input: content });
    expect(Buffer.from(await collectBytes(decompress(chunksOf(packed, 10_000)))).equals(content)).toBe(true);
  }
});

test.runIf(hasProgram("zstd"))(
  "decompress reads what zstd writes, and zstd what compressZstd does",
  async () => {
    const content = Buffer.concat([TEXT, randomBytes(300_000), TEXT]);
    for (const options of [["-1"], ["-19"], ["-3", "--no-check"]]) {
      const packed = execFileSync("zstd", [...options, "-c"], { input: content });
      expect(Buffer.from(await collectBytes(decompress(chunksOf(packed, 10_000)))).equals(content)).toBe(
        true,
      );
    }
    const packed = await collectBytes(compressZstd(chunksOf(content, 1000)));
    expect(execFileSync("zstd", ["-dc"], { input: packed, maxBuffer: 1e9 }).equals(content)).toBe(true);
  },
);

function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function countMembers(packed: Uint8Array): number {
  const header = Buffer.from("1f8b08000000000000ff", "hex");
  let count = 0;
  for (
    let at = Buffer.from(packed).indexOf(header);
    at >= 0;
    at = Buffer.from(packed).indexOf(header, at + 1)
  )
    count += 1;
  return count;
}

async function textOf(content: LentBytes, format?: string, size?: number): Promise<string> {
  const options = { format: format as "gzip" | undefined, limits: size === undefined ? {} : { size } };
  return Buffer.from(await collectBytes(decompress(content, options))).toString();
}

async function* breakOff(): AsyncGenerator<Uint8Array> {
  yield XZ_HELLO.subarray(0, 20);
  throw new Error("connection lost");
}

async function* listed(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += size) yield bytes.subarray(offset, offset + size);
}
