// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { parseMemorySize } from "./memory-size.ts";
import { limitsSchema, resolveLimits } from "./session-limits.ts";

describe("limits of a session", () => {
  test.each([
    ["512m", 512 * 1024 ** 2],
    ["2g", 2 * 1024 ** 3],
    ["1.5GiB", 1.5 * 1024 ** 3],
    ["100kb", 102_400],
    ["4096", 4096],
    ["0", undefined],
    ["much", undefined],
    ["-1g", undefined],
  ])("read the size %s", (text, bytes) => {
    expect(parseMemorySize(text)).toBe(bytes);
  });

  test("are numbers in the lock, and absent where nobody asked", () => {
    expect(resolveLimits({ memory: "1k", cpus: 1.5, pids: 9 })).toEqual({ memory: 1024, cpus: 1.5, pids: 9 });
    expect(resolveLimits(undefined)).toBeUndefined();
  });

  test.each([{ memory: "lots" }, { memory: "0" }, { cpus: 0 }, { pids: 1.5 }, { disk: 1 }])(
    "refuse %j",
    (limits) => {
      expect(limitsSchema.safeParse(limits).success).toBe(false);
    },
  );
});
