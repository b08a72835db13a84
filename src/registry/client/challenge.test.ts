// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseChallenges } from "./challenge.ts";

describe("parseChallenges", () => {
  test("reads what Docker Hub sends", () => {
    const header =
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"';
    expect(parseChallenges(header)).toEqual([
      {
        scheme: "bearer",
        parameters: {
          realm: "https://auth.example/token",
          service: "registry.example",
          scope: "repository:a/b:pull,push",
        },
      },
    ]);
  });

  test("tells several challenges in one header apart", () => {
    const header =
      'Negotiate, Basic realm="a, b", charset="UTF-8", Bearer realm=https://x.example/t,service=s';
    expect(parseChallenges(header)).toEqual([
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "a, b", charset: "UTF-8" } },
      { scheme: "bearer", parameters: { realm: "https://x.example/t", service: "s" } },
    ]);
  });

  test("reads several headers, odd case and spaces", () => {
    expect(parseChallenges(["BASIC Realm = x", 'bEARER REALM="y"'])).toEqual([
      { scheme: "basic", parameters: { realm: "x" } },
      { scheme: "bearer", parameters: { realm: "y" } },
    ]);
  });

  test("steps over a token of a scheme that it does not know", () => {
    expect(parseChallenges('Negotiate YIIB6w==, Basic realm="x"')).toEqual([
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "x" } },
    ]);
  });

  test("unescapes quoted text and keeps the first of two equal names", () => {
    expect(parseChallenges(String.raw`Basic realm="say \"hi\" \\", realm="other"`)).toEqual([
      { scheme: "basic", parameters: { realm: String.raw`say "hi" \ `.trim() } },
    ]);
  });

  test("finds nothing where nothing is", () => {
    expect(parseChallenges(undefined)).toEqual([]);
    expect(parseChallenges(" , ,")).toEqual([]);
  });

  test("gives back any parameters that were quoted", () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    const value = fc.string({ unit: "grapheme-ascii", maxLength: 30 });
    fc.assert(
      fc.property(fc.dictionary(name, value, { minKeys: 1 }), (parameters) => {
        const text = Object.entries(parameters).map(
          ([key, word]) => `${key}="${word.replaceAll(/["\\]/g, String.raw`\$&`)}"`,
        );
        expect(parseChallenges(`Bearer ${text.join(", ")}`)).toEqual([
          { scheme: "bearer", parameters: { ...parameters } },
        ]);
      }),
    );
  });

  test("ends on any input, in time that grows with its length only", () => {
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseChallenges(text))));
    const started = performance.now();
    parseChallenges(`Bearer ${'a="'.repeat(100_000)}`);
    parseChallenges("x ".repeat(100_000));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
