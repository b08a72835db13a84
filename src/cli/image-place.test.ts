// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { formatImagePlace, parseImagePlace } from "./image-place.ts";

describe("a place", () => {
  test.each([
    ["alpine", "docker.io/library/alpine"],
    ["docker://127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b:1"],
    ["localhost:5000/a:1", "localhost:5000/a:1"],
    ["oci:dir", "oci:/work/dir"],
    ["oci:/abs/dir:1.4", "oci:/abs/dir:1.4"],
    ["oci:dir:docker.io/team/tools:1.4", "oci:/work/dir:docker.io/team/tools:1.4"],
    ["docker-archive:a.tar", "docker-archive:/work/a.tar"],
    ["docker-archive:a.tar:tools:1", "docker-archive:/work/a.tar:docker.io/library/tools:1"],
    ["docker-daemon:tools", "docker-daemon:docker.io/library/tools:latest"],
    ["containers-storage:localhost/tools:1", "containers-storage:localhost/tools:1"],
  ])("%s is read as %s, which reads the same", (text, full) => {
    const place = parseImagePlace(text, "/work");
    expect(formatImagePlace(place)).toBe(full);
    expect(parseImagePlace(full, "/elsewhere")).toEqual(place);
  });

  test.each([
    ["ftp://x", "COMMAND_USAGE"],
    ["oci:", "COMMAND_USAGE"],
    ["dir:x/Y", "REFERENCE_INVALID"],
    [`docker-daemon:a@sha256:${"0".repeat(64)}`, "REFERENCE_INVALID"],
  ])("%s is refused", (text, code) => {
    expect(() => parseImagePlace(text, "/work")).toThrow(expect.objectContaining({ code }));
  });
});
