// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findStaleDifferences, formatContractTable } from "../support/contract/contract-table.ts";
import { ROOT } from "../support/programs.ts";

const PAGE = join(ROOT, "docs", "engines.md");

test("the table in docs/engines.md is what the contract of the engines says", async () => {
  const page = readFileSync(PAGE, "utf8");
  const [before = "", rest = ""] = page.split(/(?<=<!-- contract -->\n)/);
  const after = rest.slice(rest.indexOf("<!-- /contract -->"));
  await expect(`${before}${formatContractTable()}\n${after}`).toMatchFileSnapshot(PAGE);
});

test("every declared difference is about a case and an engine that there is", () => {
  expect(findStaleDifferences()).toEqual([]);
});
