// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { parseRoute } from "./route.ts";

describe("parseRoute", () => {
  test.each([
    ["/v2/", "ping", "", ""],
    ["/v2/a/b/tags/list", "tags", "a/b", ""],
    ["/v2/a/manifests/v1", "manifest", "a", "v1"],
    ["/v2/a/blobs/sha256%3Aab", "blob", "a", "sha256:ab"],
    ["/v2/a/blobs/uploads/", "uploads", "a", ""],
    ["/v2/a/blobs/uploads", "uploads", "a", ""],
    ["/v2/a/blobs/uploads/123", "upload", "a", "123"],
    ["/v2/a/referrers/sha256:ab", "referrers", "a", "sha256:ab"],
    ["/v2/x/blobs/uploads/manifests/latest", "manifest", "x/blobs/uploads", "latest"],
    ["/v2/tags/list/tags/list", "tags", "tags/list", ""],
    ["/v2/a/manifests/manifests/v1", "manifest", "a/manifests", "v1"],
  ])("reads %s", (path, name, repository, reference) => {
    expect(parseRoute(path)).toEqual({ name, repository, reference });
  });

  test.each([
    "/v2/../etc/manifests/v1",
    "/v2/a/../b/manifests/v1",
    "/v2/a%2fb/manifests/v1",
    "/v2/a%2e%2e/manifests/v1",
    "/v2/_uploads/manifests/v1",
    "/v2/A/manifests/v1",
    "/v2//manifests/v1",
    "/v2/a\0/manifests/v1",
    `/v2/${"a".repeat(256)}/manifests/v1`,
    `/v2/${"a-".repeat(120)}/manifests/v1`,
  ])("refuses the name in %j", (path) => {
    expect(() => parseRoute(path)).toThrow(expect.objectContaining({ status: 400, code: "NAME_INVALID" }));
  });

  test.each(["/", "/v1/", "/v2/a", "/v2/a/b/c", "/healthz/x"])("knows no endpoint %s", (path) => {
    expect(() => parseRoute(path)).toThrow(expect.objectContaining({ status: 404 }));
  });
});
