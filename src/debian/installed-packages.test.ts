// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { parseInstalledPackages } from "./installed-packages.ts";

const STATUS = `Package: libc6
Status: install ok installed
Multi-Arch: same
Architecture: amd64
Version: 2.41-12
Breaks: old (<< 2)
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab

Package: mawk
Status: hold ok installed
Architecture: all
Version: 1.3.4
Provides: awk
Conflicts: a
Breaks: b

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.41-12
`;

test("tells what is there for one architecture, held packages too, removed ones not", () => {
  expect(parseInstalledPackages(STATUS, "amd64")).toEqual([
    { name: "libc6", version: "2.41-12", architecture: "amd64", provides: "", conflicts: "old (<< 2)" },
    { name: "mawk", version: "1.3.4", architecture: "all", provides: "awk", conflicts: "a, b" },
  ]);
});

test("an empty database holds nothing, and one that is none is refused", () => {
  expect(parseInstalledPackages("", "amd64")).toEqual([]);
  expect(() => parseInstalledPackages("not a field\n", "amd64")).toThrow(
    expect.objectContaining({ code: "DEBIAN_INDEX_INVALID" }),
  );
});
