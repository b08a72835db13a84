// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { mergePackageStatus } from "./package-status.ts";

const BASH = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2";
const JQ =
  "Package: jq\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.7\nDescription: x\n .\n more";

test("adds packages after those of the base, sorted, and leaves the base as it is", () => {
  const zip = JQ.replaceAll("jq", "zip");
  expect(mergePackageStatus(`${BASH}\n\n`, [zip, `${JQ}\n`])).toBe(`${BASH}\n\n${JQ}\n\n${zip}\n\n`);
});

test("lists a package once that two tools bring", () => {
  expect(mergePackageStatus(`${BASH}\n\n`, [JQ, JQ])).toBe(`${BASH}\n\n${JQ}\n\n`);
});

test("replaces a package of the base that a tool upgrades", () => {
  const newer = BASH.replace("5.2", "5.3");
  expect(mergePackageStatus(`${BASH}\n\n${JQ}\n\n`, [newer])).toBe(`${JQ}\n\n${newer}\n\n`);
});

test("keeps both architectures of a library that may be there twice", () => {
  expect(mergePackageStatus(`${lib("amd64")}\n\n`, [lib("arm64")])).toBe(
    `${lib("amd64")}\n\n${lib("arm64")}\n\n`,
  );
});

function lib(architecture: string): string {
  return `Package: libz\nArchitecture: ${architecture}\nMulti-Arch: same\nVersion: 1`;
}
