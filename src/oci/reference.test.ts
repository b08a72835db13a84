// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatReference, parseReference } from "./reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}` as const;

describe("parseReference", () => {
  test.each([
    ["alpine", { registry: "docker.io", repository: "library/alpine" }],
    ["docker.io/alpine:3", { registry: "docker.io", repository: "library/alpine", tag: "3" }],
    ["index.docker.io/a/b", { registry: "docker.io", repository: "a/b" }],
    ["best-tools/k8s:1.4", { registry: "docker.io", repository: "best-tools/k8s", tag: "1.4" }],
    ["localhost/a", { registry: "localhost", repository: "a" }],
    ["localhost:5000/a/b", { registry: "localhost:5000", repository: "a/b" }],
    ["127.0.0.1:5000/a:b", { registry: "127.0.0.1:5000", repository: "a", tag: "b" }],
    ["[::1]:5000/a", { registry: "[::1]:5000", repository: "a" }],
    ["r.example/a/b__c.d-e", { registry: "r.example", repository: "a/b__c.d-e" }],
    [`r.example/a:t@${DIGEST}`, { registry: "r.example", repository: "a", tag: "t", digest: DIGEST }],
    [`a@${DIGEST}`, { registry: "docker.io", repository: "library/a", digest: DIGEST }],
  ])("reads %s", (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  test.each([
    "",
    " a",
    "a:",
    ":tag",
    "a/B",
    "r.example/UP",
    "r.example/",
    "r.example//a",
    "a/../b",
    "a:b:c",
    "a@sha256:abc",
    `a@${DIGEST}@${DIGEST}`,
    `a:-t`,
    `a:${"t".repeat(129)}`,
    "https://r.example/a",
    "r.example:port/a",
    "a___b",
    `r.example/${"a".repeat(256)}`,
  ])("refuses %j", (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: "REFERENCE_INVALID" }));
  });

  test("reads what formatReference writes, whatever it is", () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?$/);
    const registry = fc.oneof(
      fc.stringMatching(/^[a-z0-9]{1,8}\.[a-z]{2,4}$/),
      fc.nat(65535).map((port) => `localhost:${port}`),
    );
    const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: undefined });
    const digest = fc.constantFrom(undefined, DIGEST);
    const repository = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(registry, repository, tag, digest, (registry, repository, tag, digest) => {
        const reference = { registry, repository, ...(tag && { tag }), ...(digest && { digest }) };
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });
});
