// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareVersions, isVersion } from "./version.ts";

describe("compareVersions", () => {
  test.each([
    ["1.0~beta1~svn1245", "1.0~beta1"],
    ["1.0~beta1", "1.0"],
    ["~~", "~~a"],
    ["~~a", "~"],
    ["~", ""],
    ["", "a"],
    ["1.0", "1.0-1"],
    ["1.0-1", "1.0-1+b1"],
    ["1.0-1+b8", "1.0-1+b9"],
    ["1.0-1+b9", "1.0-1+b10"],
    ["1.2", "1.10"],
    ["9", "1:0"],
    ["1:9", "2:0"],
    ["1.0a", "1.0+"],
    ["1.0Z", "1.0a"],
    ["2.41-12", "2.41-12+deb13u4"],
    ["2.41-12~bpo1", "2.41-12"],
    ["20240101010101010101", "20240101010101010102"],
  ])('"%s" is older than "%s"', (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0);
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
  });

  test.each([
    ["0:1.0", "1.0"],
    ["1.0-0", "1.0"],
    ["1.0-", "1.0"],
    ["1.01", "1.1"],
    ["1.0-1-2", "1.0-1-2"],
  ])('"%s" and "%s" are the same', (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
  });

  test("is a total order: antisymmetric and transitive", () => {
    fc.assert(
      fc.property(version(), version(), version(), (a, b, c) => {
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
        const [low = "", middle = "", high = ""] = [a, b, c].toSorted(compareVersions);
        expect(compareVersions(low, middle)).toBeLessThanOrEqual(0);
        expect(compareVersions(low, high)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

test.each(["1.0", "1:2.3-4+b1", "0~rc1"])('"%s" is a version', (text) => expect(isVersion(text)).toBe(true));
test.each(["", "v1.0", "1.0 1", "a:1", "1.0_1"])('"%s" is not a version', (text) => {
  expect(isVersion(text)).toBe(false);
});

function version(): fc.Arbitrary<string> {
  const part = fc.array(fc.constantFrom("0", "1", "9", "10", "a", "b", "Z", "~", "+", "."), { maxLength: 6 });
  return fc
    .tuple(fc.constantFrom("", "0:", "1:"), part, fc.constantFrom("", "-1", "-1+b2", "-0ubuntu~"))
    .map(([epoch, upstream, revision]) => `${epoch}1${upstream.join("")}${revision}`);
}
