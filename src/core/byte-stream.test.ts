// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { lentBytes } from "../../test/support/lent-bytes.ts";
import { collectBytes, streamOf } from "./byte-stream.ts";

describe("collectBytes", () => {
  test("joins the chunks in order", async () => {
    expect(await collectBytes(chunksOf("ab", "", "c"))).toEqual(new TextEncoder().encode("abc"));
  });

  test("keeps what was only lent", async () => {
    const bytes = new TextEncoder().encode("lent and given back");
    for (const size of [1, 7, 100]) expect(await collectBytes(lentBytes(bytes, size))).toEqual(bytes);
  });

  test("accepts content of exactly the limit and stops at the first byte beyond it", async () => {
    expect(await collectBytes(chunksOf("abc"), { limit: 3 })).toHaveLength(3);
    await expect(collectBytes(chunksOf("ab", "cd", "never read"), { limit: 3 })).rejects.toThrow(RangeError);
  });

  test("throws the caller's own error on excess", async () => {
    await expect(collectBytes(chunksOf("abcd"), { limit: 3, onExcess: tooMuch })).rejects.toThrow("too much");
  });

  test("gives an empty array for an empty stream", async () => {
    expect(await collectBytes(streamOf(new Uint8Array()))).toHaveLength(0);
  });
});

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

function tooMuch(): Error {
  return new Error("too much");
}
