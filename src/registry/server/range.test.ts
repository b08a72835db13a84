// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { parseChunkRange, parseRange } from "./range.ts";

describe("parseRange", () => {
  test.each([
    ["bytes=0-9", { start: 0, end: 9 }],
    ["bytes=90-", { start: 90, end: 99 }],
    ["bytes=-10", { start: 90, end: 99 }],
    ["bytes=-1000", { start: 0, end: 99 }],
    ["bytes=50-5000", { start: 50, end: 99 }],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=50-0", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=0-1,5-6", undefined],
    ["bytes=-", undefined],
    ["items=0-1", undefined],
    ["bytes=99999999999999999999-", undefined],
    [undefined, undefined],
  ])("reads %j of 100 bytes as %j", (header, expected) => {
    expect(parseRange(header, 100)).toEqual(expected);
  });

  test("finds no byte in empty content", () => {
    expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable");
  });
});

test.each([
  ["0-9", { start: 0, end: 9 }],
  ["9-9", { start: 9, end: 9 }],
  ["9-8", undefined],
  ["bytes 0-9/10", undefined],
  ["0-", undefined],
])("a chunk's range %j is %j", (header, expected) => {
  expect(parseChunkRange(header)).toEqual(expected);
});
