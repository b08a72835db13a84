// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { suggestName } from "./suggestion.ts";

const names = ["kubectl", "kustomize", "helm", "jq", "yq", "platforms"];

test.each([
  ["kubctl", "kubectl"],
  ["kubeclt", "kubectl"],
  ["Helm", "helm"],
  ["platfroms", "platforms"],
  ["hlem", "helm"],
])('"%s" was meant to be "%s"', (word, meant) => {
  expect(suggestName(word, names)).toBe(meant);
});

test.each(["terraform", "xx", ""])('"%s" is near to nothing', (word) => {
  expect(suggestName(word, names)).toBeUndefined();
});
