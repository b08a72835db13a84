// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ENCODERS } from "./encoders.ts";

const { devDependencies, optionalDependencies } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as Record<string, Record<string, string>>;

test.each([
  // Its code is joined with ours when the package is built.
  ["gzip", "libdeflate", devDependencies],
  ["zstd", "@toondepauw/node-zstd", optionalDependencies],
] as const)("the %s encoder is named with the exact version that is installed", (format, name, pins) => {
  expect(ENCODERS[format]).toMatch(`${name} ${pins?.[name] ?? "not installed"}, `);
});
