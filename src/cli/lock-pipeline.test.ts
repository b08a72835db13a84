// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { LockDiff } from "../workspace/index.ts";
import { describeDiff } from "./lock-pipeline.ts";

const DIFF: LockDiff = {
  created: false,
  tools: [
    { name: "helm", kind: "added", to: "3.19.0" },
    { name: "jq", kind: "updated", from: "1.7.1", to: "1.8.1" },
    { name: "k9s", kind: "rebuilt", from: "0.50.0", to: "0.50.0" },
    { name: "yq", kind: "removed", from: "4.47.1" },
  ],
  baseChanged: true,
  useChanged: false,
  images: ["k8s"],
  settingsChanged: true,
  same: false,
};

test("changes of a lock are one line each", () => {
  expect(describeDiff(DIFF)).toEqual([
    "~ base",
    "+ helm 3.19.0",
    "~ jq 1.7.1 -> 1.8.1",
    "~ k9s 0.50.0 (other bytes)",
    "- yq 4.47.1",
    "~ image k8s",
    "~ settings",
  ]);
});

test("a new lock has nothing but additions", () => {
  const tools = DIFF.tools.filter(({ kind }) => kind === "added");
  expect(describeDiff({ ...DIFF, created: true, tools })).toEqual(["+ base", "+ helm 3.19.0", "+ image k8s"]);
});
