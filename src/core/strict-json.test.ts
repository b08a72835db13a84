// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseStrictJson } from "./strict-json.ts";

const parse = (text: string | Uint8Array): unknown => parseStrictJson(text, { what: "document" });

describe("parseStrictJson", () => {
  test("reads what JSON.stringify writes, whatever it is", () => {
    const value = fc
      .jsonValue({ maxDepth: 6 })
      .filter((value) => !JSON.stringify(value).includes("__proto__"));
    fc.assert(
      fc.property(value, fc.boolean(), (value, isIndented) => {
        const text = JSON.stringify(value, null, isIndented ? 2 : 0);
        expect(parse(text)).toEqual(JSON.parse(text));
        expect(parse(new TextEncoder().encode(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each([
    ["a key that comes twice", '{"a":1,"a":2}', '"a" twice'],
    ["the same key written in two ways", '{"a":1,"\\u0061":2}', '"a" twice'],
    ["a key that comes twice further in", '[{"x":{"a":1,"b":[],"a":2}}]', '"a" twice'],
    ["__proto__", '{"__proto__":{"x":1}}', "__proto__"],
    ["__proto__ in disguise", '{"\\u005f_proto__":1}', "__proto__"],
    ["a byte order mark", '\uFEFF{"a":1}', "byte order mark"],
    ["text that is cut short", '{"a":', "not valid JSON"],
    ["two documents", "{}{}", "not valid JSON"],
    ["a trailing comma", '{"a":1,}', "not valid JSON"],
    ["a comment", "{} // no", "not valid JSON"],
    ["nothing", "", "not valid JSON"],
    ["a lone quote", '{"a', "not valid JSON"],
    ["deep nesting", "[".repeat(65) + "]".repeat(65), "64 levels"],
    ["very deep nesting", '{"a":'.repeat(100_000), "64 levels"],
  ])("refuses %s", (_, text, reason) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: "JSON_INVALID", message: expect.stringContaining(reason) }),
    );
  });

  test("allows one key in several objects, and any text as a value", () => {
    expect(parse('[{"a":1},{"a":2},{"b":{"a":"__proto__, {\\"a\\":[, \\"a\\""}}]')).toHaveLength(3);
    expect(parse("[".repeat(64) + "]".repeat(64))).toHaveLength(1);
  });

  test("refuses bytes that are not UTF-8, and their byte order mark", () => {
    expect(() => parse(Uint8Array.of(0x22, 0xff, 0x22))).toThrow("UTF-8");
    expect(() => parse(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toThrow("byte order mark");
  });

  test("changes no prototype", () => {
    expect(() => parse('{"a":{"__proto__":{"polluted":true}}}')).toThrow("document");
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});
