// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatCanonicalJson } from "./json.ts";

describe("formatCanonicalJson", () => {
  test("sorts keys by code unit at every depth and keeps array order", () => {
    expect(formatCanonicalJson({ b: [{ z: 1, a: 2 }, 3], B: null, a: undefined })).toBe(
      '{"B":null,"b":[{"a":2,"z":1},3]}',
    );
  });

  test("ends indented text with a newline", () => {
    expect(formatCanonicalJson({ a: 1 }, { indent: 2 })).toBe('{\n  "a": 1\n}\n');
  });

  test("gives equal text for equal values, whatever the order of their keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(formatCanonicalJson(reversed)).toBe(formatCanonicalJson(value));
        expect(JSON.parse(formatCanonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
