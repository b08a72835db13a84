// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { isUnconfirmed } from "./go-checksum.ts";

test.each([
  ["nothing is said", {}, false],
  ["another database is named", { GOSUMDB: "db.example" }, false],
  ["there is to be no database", { GOSUMDB: "off" }, true],
  ["the module is private", { GOPRIVATE: "other.example,git.example/team" }, true],
  ["all of its host is private", { GOPRIVATE: "*.example/" }, true],
  ["something below it is private", { GOPRIVATE: "git.example/team/tool/v2" }, false],
  ["another team's is private", { GOPRIVATE: "git.example/tea" }, false],
  [
    "it is private, but the database is to be asked all the same",
    { GOPRIVATE: "*.example", GONOSUMDB: "none" },
    false,
  ],
  ["a class of characters names it", { GONOSUMDB: "git.example/[s-u]ea?" }, true],
  ["a point is meant", { GONOSUMDB: "git.exampl*/team", GOPRIVATE: "" }, true],
  ["a point is not any character", { GONOSUMDB: "git.e.ample" }, false],
])("a module's hash is confirmed unless %s", (_, settings: Record<string, string>, expected) => {
  expect(isUnconfirmed("git.example/team/tool", settings)).toBe(expected);
});
