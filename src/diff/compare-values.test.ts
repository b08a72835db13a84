// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alignLists } from "./align-lists.ts";
import { compareValues } from "./compare-values.ts";

describe("compareValues", () => {
  test("goes as deep as the difference is", () => {
    const from = { a: { b: [1, { c: "x" }], same: true }, gone: null };
    const to = { a: { b: [1, { c: "y" }], same: true }, come: [] };
    expect(compareValues(from, to)).toEqual([
      { path: ["a", "b", 1, "c"], from: "x", to: "y" },
      { path: ["come"], to: [] },
      { path: ["gone"], from: null },
    ]);
  });

  test("does not mind the order of members", () => {
    expect(compareValues({ a: 1, b: 2 }, { b: 2, a: 1 })).toEqual([]);
  });

  test("an item that comes in the middle of a list moves no other", () => {
    expect(compareValues(["a", "b", "c"], ["a", "new", "b", "c"])).toEqual([{ path: [1], to: "new" }]);
    expect(compareValues(["a", "b", "c"], ["b", "c"])).toEqual([{ path: [0], from: "a" }]);
  });

  test("takes nothing for a member that every object inherits", () => {
    expect(compareValues({}, { constructor: 1 })).toEqual([{ path: ["constructor"], to: 1 }]);
  });
});

describe("alignLists", () => {
  test("leaves gaps that turn the one list into the other, and no smaller ones would do", () => {
    const list = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 });
    fc.assert(
      fc.property(list, list, (from, to) => {
        const gaps = alignLists(from, to);
        const [keptFrom, keptTo] = [keep(from, gaps, "from"), keep(to, gaps, "to")];
        expect(keptFrom).toEqual(keptTo);
        expect(keptFrom).toHaveLength(longestCommon(from, to));
      }),
    );
  });

  test("gives up on exactness where that would take too long", () => {
    const [from, to] = [numbers("a"), numbers("b")];
    expect(alignLists(["x", ...from, "y"], ["x", ...to, "y"])).toEqual([
      { from: 1, fromEnd: 3001, to: 1, toEnd: 3001 },
    ]);
  });
});

function numbers(prefix: string): string[] {
  return Array.from({ length: 3000 }, (_, index) => `${prefix}${index}`);
}

function keep(
  list: readonly string[],
  gaps: ReturnType<typeof alignLists>,
  side: "from" | "to",
): readonly string[] {
  return list.filter((_, index) => !gaps.some((gap) => index >= gap[side] && index < gap[`${side}End`]));
}

function longestCommon(a: readonly string[], b: readonly string[]): number {
  const [first, ...rest] = a;
  if (first === undefined || b.length === 0) return 0;
  const at = b.indexOf(first);
  return Math.max(longestCommon(rest, b), at < 0 ? 0 : 1 + longestCommon(rest, b.slice(at + 1)));
}
