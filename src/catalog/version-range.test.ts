// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bareVersion,
  compareVersions,
  isExactVersion,
  isVersionRange,
  satisfiesRange,
  selectVersion,
} from "./version-range.ts";

const LIST = ["1.33.9", "1.34.0", "1.34.4", "1.34.10", "1.35.0-rc.1", "1.35.0", "2.0.0-alpha.1"];
const number = fc.nat({ max: 500 });
const version = fc.tuple(number, number, number).map((parts) => parts.join("."));

describe("selectVersion", () => {
  test.each([
    ["1.34", "1.34.10"],
    ["^1.33", "1.35.0"],
    ["~1.34.1", "1.34.10"],
    ["latest", "1.35.0"],
    ["*", "1.35.0"],
    ["1.34.4", "1.34.4"],
    ["v1.34.4", "1.34.4"],
    ["=1.34.4", "1.34.4"],
    [">=1.33 <1.34", "1.33.9"],
    ["1.35.0-rc.1", "1.35.0-rc.1"],
    ["^2.0.0-alpha.1", "2.0.0-alpha.1"],
  ])("answers %j with %j", (range, expected) => {
    expect(selectVersion(LIST, range)).toBe(expected);
  });

  test.each(["1.36", "2", "1.34.5", "nonsense", ""])("answers %j with nothing", (range) => {
    expect(selectVersion(LIST, range)).toBeUndefined();
  });

  test("keeps the spelling of the list, v and missing parts included", () => {
    expect(selectVersion(["v1.7", "v1.6.1"], "1")).toBe("v1.7");
    expect(selectVersion(["1.7", "1.6.1"], "1.7.0")).toBe("1.7");
  });

  test("never offers a pre-release that was not asked for", () => {
    fc.assert(
      fc.property(fc.array(version), (versions) => {
        const list = versions.map((each) => `${each}-rc.1`);
        expect(selectVersion(list, "latest")).toBeUndefined();
      }),
    );
  });

  test("gives the highest member of the list that is in the range", () => {
    fc.assert(
      fc.property(fc.array(version, { minLength: 1 }), number, (versions, major) => {
        const chosen = selectVersion(versions, String(major));
        const inside = versions.filter((each) => each.startsWith(`${major}.`));
        if (chosen === undefined) expect(inside).toEqual([]);
        else for (const each of inside) expect(compareVersions(chosen, each)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

test("every version is exact, is in its own range, with and without v", () => {
  fc.assert(
    fc.property(version, (each) => {
      expect(isExactVersion(`v${each}`)).toBe(true);
      expect(satisfiesRange(each, `v${each}`)).toBe(true);
      expect(satisfiesRange(`v${each}`, each)).toBe(true);
      expect(bareVersion(`v${each}`)).toBe(each);
    }),
  );
});

test("the order is total and newest first", () => {
  fc.assert(
    fc.property(fc.array(version, { maxLength: 8 }), (versions) => {
      const numbers = versions.toSorted(compareVersions).map((each) => each.split(".").map(Number));
      for (const [index, current] of numbers.entries()) {
        const next = numbers[index + 1];
        if (next === undefined) continue;
        const at = current.findIndex((part, position) => part !== next[position]);
        if (at >= 0) expect(current[at]).toBeGreaterThan(next[at] ?? 0);
      }
    }),
  );
});

test("versions that are no number sequence are only equal to themselves", () => {
  expect(satisfiesRange("nightly", "nightly")).toBe(true);
  expect(satisfiesRange("nightly", "latest")).toBe(false);
  expect(compareVersions("nightly", "1.0.0")).toBeGreaterThan(0);
});

test.each([
  ["1.34", true],
  ["^3.19", true],
  ["latest", true],
  [">=1 <2", true],
  ["newest please", false],
  ["", false],
])("whether %j is a range: %j", (text, expected) => {
  expect(isVersionRange(text)).toBe(expected);
});
