// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { isTemporaryFailure, isTemporaryStatus, parseRetryAfter } from "./temporary-failure.ts";

const now = new Date("2026-01-01T00:00:00Z");

describe("parseRetryAfter", () => {
  test.each([
    ["7", 7000],
    [" 0 ", 0],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 23:00:00 GMT", 0],
    ["999999999", 999_999_999_000],
    ["soon", undefined],
    ["-1", undefined],
    ["1e9", undefined],
    [undefined, undefined],
  ])("reads %j as %j", (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});

test.each([408, 425, 429, 500, 502, 503, 504])("status %i may pass", (status) => {
  expect(isTemporaryStatus(status)).toBe(true);
});

test.each([400, 401, 403, 404, 405, 413, 416, 501])("status %i does not pass", (status) => {
  expect(isTemporaryStatus(status)).toBe(false);
});

test("a reset connection may pass, an untrusted certificate does not", () => {
  expect(isTemporaryFailure(Object.assign(new Error("reset"), { code: "ECONNRESET" }))).toBe(true);
  expect(isTemporaryFailure(Object.assign(new Error("tls"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }))).toBe(
    false,
  );
  expect(isTemporaryFailure(new Error("a bug"))).toBe(false);
});

test("a failure is recognised behind the wrappers of an HTTP library", () => {
  const reset = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  expect(isTemporaryFailure(new TypeError("fetch failed", { cause: reset }))).toBe(true);
  expect(isTemporaryFailure(new AggregateError([new Error("a bug"), reset]))).toBe(true);
});
