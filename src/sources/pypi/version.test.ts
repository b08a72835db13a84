// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSpecifiers, satisfiesSpecifiers } from "./specifier.ts";
import { comparePythonVersions, isPreRelease, parsePythonVersion, type PythonVersion } from "./version.ts";

/** From old to new, as PEP 440 orders them. */
const ORDER = [
  "1.0.dev1",
  "1.0a1.dev1",
  "1.0a1",
  "1.0a1.post1",
  "1.0b2",
  "1.0rc1",
  "1.0",
  "1.0+abc.5",
  "1.0+abc.7",
  "1.0+5",
  "1.0.post1.dev1",
  "1.0.post1",
  "1.0.1",
  "1.1",
  "1.10",
  "2013.10",
  "1!0.1",
];

const number = fc.nat({ max: 40 });
const versionText = fc
  .record({
    epoch: fc.option(
      number.map((n) => `${n}!`),
      { nil: "" },
    ),
    release: fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(".")),
    pre: fc.option(
      fc.tuple(fc.constantFrom("a", "b", "rc", "-alpha.", "_c", ".preview-"), number).map((p) => p.join("")),
      { nil: "" },
    ),
    post: fc.option(
      fc.tuple(fc.constantFrom(".post", "-", "-rev", "_r."), number).map((p) => p.join("")),
      { nil: "" },
    ),
    dev: fc.option(
      number.map((n) => `.dev${n}`),
      { nil: "" },
    ),
    local: fc.option(fc.constantFrom("+1", "+ubuntu.1", "+a-b"), { nil: "" }),
  })
  .map(({ epoch, release, pre, post, dev, local }) => `${epoch}${release}${pre}${post}${dev}${local}`);

describe("a version", () => {
  test("stands where PEP 440 puts it", () => {
    for (const [index, text] of ORDER.entries()) {
      for (const [other, otherText] of ORDER.entries()) {
        expect(Math.sign(compare(text, otherText)), `${text} and ${otherText}`).toBe(
          Math.sign(index - other),
        );
      }
    }
  });

  test.each([
    ["1.0", "1.0.0"],
    ["v1.0", "1.0"],
    ["1.0-1", "1.0.post1"],
    ["1.0ALPHA1", "1.0a1"],
    ["1.0.c.2", "1.0rc2"],
    ["1.0+a_b", "1.0+a.b"],
    ["1.0dev", "1.0.dev0"],
  ])("%s is the same as %s", (a, b) => {
    expect(compare(a, b)).toBe(0);
  });

  test.each(["", "1.", "x", "1.0-", "1.0++", "1.0 2", "1.0a1b1", "9".repeat(20)])("%j is none", (text) => {
    expect(parsePythonVersion(text)).toBeUndefined();
  });

  test("has a total order that does not depend on who is asked first", () => {
    fc.assert(
      fc.property(versionText, versionText, versionText, (a, b, c) => {
        expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)));
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("is read the same in capitals, with white space and with a v", () => {
    fc.assert(
      fc.property(versionText, (text) => {
        expect(compare(text, ` v${text.toUpperCase()} `)).toBe(0);
      }),
    );
  });
});

describe("a specifier", () => {
  test.each([
    ["~=2.2", ["2.2", "2.9", "2.2.post3"], ["2.1", "3.0", "3.0.dev1"]],
    ["~=1.4.5", ["1.4.5", "1.4.9"], ["1.5", "1.4.4"]],
    ["==1.1", ["1.1", "1.1.0", "1.1+local"], ["1.1.1", "1.1a1", "1.1.post1"]],
    ["==1.1.*", ["1.1", "1.1.9", "1.1a1", "1.1.post1"], ["1.2", "1.10"]],
    ["==1.1+local", ["1.1+local"], ["1.1", "1.1+other"]],
    ["!=1.1.*", ["1.2"], ["1.1.4"]],
    [">1.7", ["1.7.1", "1.8"], ["1.7", "1.7.post1", "1.7+local", "1.7.0.post1"]],
    [">1.7.post1", ["1.7.post2"], ["1.7", "1.7.post1"]],
    ["<2", ["1.9", "1.9.post1"], ["2", "2.0rc1", "2.0.dev1"]],
    ["<2.0rc1", ["2.0b9"], ["2.0rc1", "2"]],
    [">=1.0, <2 ,!=1.5", ["1.0", "1.9"], ["1.5", "1.5.0", "2.0"]],
    ["===1.0-Odd", ["1.0"].slice(1), ["1.0"]],
    ["", ["0", "9!9"], []],
  ])("%s lets in what it should", (text, inside, outside) => {
    const specifiers = parseSpecifiers(text) ?? [];
    expect(inside.filter((version) => !satisfiesSpecifiers(versionOf(version), specifiers))).toEqual([]);
    expect(outside.filter((version) => satisfiesSpecifiers(versionOf(version), specifiers))).toEqual([]);
  });

  test.each(["1.0", "=>1", "~=1", ">=1.0.*", ">=1.0+local", "==1.0.dev1.*", "==", ">=x"])(
    "%s is malformed",
    (text) => {
      expect(parseSpecifiers(text)).toBeUndefined();
    },
  );

  test("of one version holds for it, and its opposite for all others", () => {
    fc.assert(
      fc.property(versionText, versionText, (a, b) => {
        const [version, other] = [versionOf(a), versionOf(b)];
        expect(satisfiesSpecifiers(version, parseSpecifiers(`==${a}`) ?? [])).toBe(true);
        expect(satisfiesSpecifiers(other, parseSpecifiers(`==${a}`) ?? [])).toBe(
          !satisfiesSpecifiers(other, parseSpecifiers(`!=${a}`) ?? []),
        );
      }),
    );
  });
});

test("pre-releases are what PEP 440 says", () => {
  expect(
    ["1.0a1", "1.0rc1", "1.0.dev1", "1.0.post1.dev1"].every((text) => isPreRelease(versionOf(text))),
  ).toBe(true);
  expect(["1.0", "1.0.post1", "1.0+local"].some((text) => isPreRelease(versionOf(text)))).toBe(false);
});

function versionOf(text: string): PythonVersion {
  const version = parsePythonVersion(text);
  if (version === undefined) throw new Error(`${text} is no version`);
  return version;
}

function compare(a: string, b: string): number {
  return comparePythonVersions(versionOf(a), versionOf(b));
}
