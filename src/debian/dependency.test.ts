// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDependency, parseDependencies, satisfies } from "./dependency.ts";

describe("parseDependencies", () => {
  test("reads versions, alternatives, qualifiers and architectures, and ignores build profiles", () => {
    expect(
      parseDependencies(
        "libc6 (>= 2.38), python3:any (<<3.14) | pypy3 , libfoo [amd64 !i386] <!nocheck> <x>",
      ),
    ).toEqual([
      [{ name: "libc6", version: { relation: ">=", version: "2.38" } }],
      [
        { name: "python3", qualifier: "any", version: { relation: "<<", version: "3.14" } },
        { name: "pypy3" },
      ],
      [{ name: "libfoo", architectures: ["amd64", "!i386"] }],
    ]);
  });

  test("passes over empty members and a trailing comma", () => {
    expect(parseDependencies(" , a,,b, ")).toEqual([[{ name: "a" }], [{ name: "b" }]]);
    expect(parseDependencies("")).toEqual([]);
  });

  test.each(["a b", "a (>= )", "a (~ 1)", "| a", "-a", "a (>= 1"])('refuses "%s"', (text) => {
    expect(() => parseDependencies(text)).toThrow(expect.objectContaining({ code: "DEBIAN_INDEX_INVALID" }));
  });

  test("reads what formatDependency writes", () => {
    const relation = fc.record(
      {
        name: fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,8}$/u),
        qualifier: fc.constantFrom("any", "native", "arm64"),
        version: fc.record({
          relation: fc.constantFrom("<<", "<=", "=", ">=", ">>"),
          version: fc.constantFrom("1", "1:2.3-4+b1", "0~rc1"),
        }),
      },
      { requiredKeys: ["name"], noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(fc.array(relation, { minLength: 1 }), { minLength: 1 }), (groups) => {
        const text = groups.map((group) => formatDependency(group)).join(", ");
        expect(parseDependencies(text)).toEqual(groups);
      }),
    );
  });
});

test.each([
  ["1.0", "<<", "1.1", true],
  ["1.1", "<<", "1.1", false],
  ["1.1", "<=", "1.1", true],
  ["1.1", "=", "1.1-0", true],
  ["1.0", ">=", "1.1", false],
  ["1.2", ">>", "1.1", true],
] as const)('"%s" %s "%s" is %s', (version, relation, wanted, expected) => {
  expect(satisfies(version, { relation, version: wanted })).toBe(expected);
});
