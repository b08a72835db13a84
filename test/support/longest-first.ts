// SPDX-License-Identifier: Apache-2.0
import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take minutes, the longest first. What is not here follows as vitest orders it, the largest first. */
const LONG = [
  "engine-contract.test.ts",
  "go-source.test.ts",
  "npm-image.test.ts",
  "debian-judge.test.ts",
  "kill.test.ts",
];

/** Starts long files first, so that the last one to end does not run alone. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = LONG.indexOf(basename(moduleId));
  return place === -1 ? LONG.length : place;
}
