// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { DEFAULT_RETRY_POLICY, pause, RetryClock } from "./retry.ts";

describe("RetryClock", () => {
  test("doubles the span of the wait and ends after the last try", () => {
    const clock = new RetryClock({ ...DEFAULT_RETRY_POLICY, tries: 4, firstDelay: 100 });
    for (const span of [200, 400, 800]) {
      const delay = clock.next(undefined);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThan(span);
    }
    expect(clock.next(undefined)).toBeUndefined();
  });

  test("waits as long as it is asked to, but no longer than the cap", () => {
    const clock = new RetryClock(DEFAULT_RETRY_POLICY);
    expect(clock.next(7000)).toBe(7000);
    expect(clock.next(86_400_000)).toBe(60_000);
  });

  test("ends when the wait would pass the budget", () => {
    expect(new RetryClock({ ...DEFAULT_RETRY_POLICY, budget: 5000 }).next(7000)).toBeUndefined();
  });
});

test("an abort ends a wait with the reason of the signal", async () => {
  const controller = new AbortController();
  const waiting = pause(60_000, controller.signal);
  controller.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
});
