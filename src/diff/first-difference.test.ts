// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ByteStream } from "../core/byte-stream.ts";
import { findFirstDifference } from "./first-difference.ts";

describe("findFirstDifference", () => {
  test("finds nothing in equal streams, however they are cut", async () => {
    const bytes = Buffer.from("the same bytes on both sides");
    expect(await findFirstDifference(cut(bytes, 3), cut(bytes, 7))).toBeUndefined();
    expect(await findFirstDifference(cut(Buffer.alloc(0), 1), cut(Buffer.alloc(0), 1))).toBeUndefined();
  });

  test("shows four equal bytes and twelve from the difference on", async () => {
    const [a, b] = [Buffer.from("0123456789abcdefghijklmn"), Buffer.from("0123456789Xbcdefghijklmn")];
    expect(await findFirstDifference(cut(a, 5), cut(b, 1))).toEqual({
      offset: 10,
      start: 6,
      from: Buffer.from("6789abcdefghijkl").toString("hex"),
      to: Buffer.from("6789Xbcdefghijkl").toString("hex"),
    });
  });

  test("says where the shorter one ends", async () => {
    const found = await findFirstDifference(cut(Buffer.from("abcdef"), 2), cut(Buffer.from("abcd"), 3));
    expect(found).toEqual({ offset: 4, start: 0, from: "616263646566", to: "61626364" });
  });

  test("reads no further than it has to", async () => {
    expect(await findFirstDifference(endless(), cut(Buffer.of(0, 1, 2, 99), 4))).toMatchObject({ offset: 3 });
  });

  test("agrees with a look at the whole, for any bytes and any pieces", async () => {
    const bytes = fc.uint8Array({ max: 2, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        bytes,
        bytes,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        async (a, b, m, n) => {
          const found = await findFirstDifference(cut(a, m), cut(b, n));
          const length = Math.max(a.byteLength, b.byteLength);
          const expected = Array.from({ length }).findIndex((_, index) => a[index] !== b[index]);
          expect(found?.offset ?? -1).toBe(expected);
          if (found === undefined) return;
          const end = found.start + 16;
          expect(found.from).toBe(Buffer.from(a.subarray(found.start, end)).toString("hex"));
          expect(found.to).toBe(Buffer.from(b.subarray(found.start, end)).toString("hex"));
        },
      ),
    );
  });
});

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let byte = 0; ; byte += 1) yield Uint8Array.of(byte & 255);
}

async function* cut(bytes: Uint8Array, size: number): ByteStream & AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += size) {
    yield bytes.subarray(start, start + size);
    yield new Uint8Array(0);
  }
}
