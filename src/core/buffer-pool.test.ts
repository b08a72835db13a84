// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { BufferPool } from "./buffer-pool.ts";

test("gives the same memory out again", () => {
  const pool = new BufferPool(16);
  const [first, second] = [pool.take(), pool.take()];
  expect(second).not.toBe(first);
  pool.give(first);
  expect(pool.take()).toBe(first);
  expect(pool.take().byteLength).toBe(16);
});

test("passes over what is no buffer of its size, or lies in another thread now", () => {
  const pool = new BufferPool(16);
  const gone = pool.take();
  structuredClone(gone, { transfer: [gone] });
  for (const buffer of [gone, new ArrayBuffer(15)]) {
    pool.give(buffer);
    expect(pool.take()).not.toBe(buffer);
  }
});
