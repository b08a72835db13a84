// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from "vitest";
import { type Check, runChecks } from "../../bench/quick.mjs";
import { hasPrograms, makeFolder } from "../support/programs.ts";

/** What `npm run bench -- --quick` looks at. No seconds: only what is the same on every machine. */
const isPossible = hasPrograms("docker-registry", "python3");
let checks: readonly Check[] = [];

beforeAll(async () => {
  if (!isPossible) return;
  const folder = await makeFolder("bench");
  try {
    checks = await runChecks(folder.path);
  } finally {
    await folder.remove();
  }
});

describe.runIf(isPossible)("the costs that do not depend on the machine", () => {
  test.each([
    [
      "a changed tool moves its own layer and the one on top, wherever it stands",
      /^layers that change with tool/,
      8,
    ],
    ["a push sends that layer and little else", /^bytes pushed when/, 8],
    ["a push without news sends nothing", /nothing/, 2],
    ["memory does not grow with a tool", /memory|8 MiB/, 2],
    ["planning grows with the number of tools, and no faster", /^work of/, 2],
  ])("%s", (_, about, count) => {
    const found = checks.filter(({ what }) => about.test(what));
    expect(found).toHaveLength(count);
    // What was not measured is no number, and passes nothing.
    const missed = found.filter(({ value, bound }) => !(value <= bound));
    expect(missed).toEqual([]);
  });
});
