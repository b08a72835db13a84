// SPDX-License-Identifier: Apache-2.0
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { forEachConcurrently, mapConcurrently } from "./concurrency.ts";

describe("forEachConcurrently", () => {
  test("never has more than the limit under way, and reaches it", async () => {
    let running = 0;
    let most = 0;
    await forEachConcurrently(Array.from({ length: 20 }), { limit: 3 }, async () => {
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
    });
    expect(most).toBe(3);
  });

  test("throws the first failure only after the others have ended", async () => {
    const ended: string[] = [];
    const work = forEachConcurrently(["slow", "bad"], { limit: 2 }, async (item, signal) => {
      if (item === "bad") throw new Error("bad one");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await turn();
      ended.push(item);
    });
    await expect(work).rejects.toThrow("bad one");
    expect(ended).toEqual(["slow"]);
  });

  test("starts nothing more once the caller aborts", async () => {
    const caller = new AbortController();
    const started: number[] = [];
    const work = forEachConcurrently([1, 2, 3], { limit: 1, signal: caller.signal }, async (item) => {
      started.push(item);
      caller.abort(new Error("enough"));
      await turn();
    });
    await expect(work).rejects.toThrow("enough");
    expect(started).toEqual([1]);
  });
});

describe("mapConcurrently", () => {
  test("keeps the order of the items whatever ends first", async () => {
    const results = await mapConcurrently([3, 1, 2], { limit: 3 }, async (item) => {
      for (let turns = 0; turns < item; turns += 1) await turn();
      return item * 10;
    });
    expect(results).toEqual([30, 10, 20]);
  });
});
