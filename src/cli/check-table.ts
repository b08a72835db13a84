// SPDX-License-Identifier: Apache-2.0
import { type CheckResult, countResults } from "../checks/index.ts";
import { formatColumns, formatDuration } from "./measure.ts";

/** The results for people: a row each, then what failed and why, what was not run and why, and a last line of counts. */
export function formatCheckTable(results: readonly CheckResult[]): string[] {
  const rows = results.map(({ image, platform, tool, name, outcome, milliseconds }) => [
    image,
    platform,
    tool,
    name,
    outcome.state === "not-run" ? "not run" : outcome.state,
    outcome.state === "not-run" ? "" : formatDuration(milliseconds),
  ]);
  const { passed, failed, notRun } = countResults(results);
  return [
    ...formatColumns([["IMAGE", "PLATFORM", "TOOL", "CHECK", "RESULT", "TIME"], ...rows]),
    ...results.flatMap(describeFailure),
    ...describeNotRun(results),
    "",
    `${passed} passed, ${failed} failed, ${notRun} not run`,
  ];
}

function describeFailure({ image, platform, tool, name, command, outcome }: CheckResult): string[] {
  if (outcome.state !== "failed") return [];
  return [
    "",
    `failed: ${image} ${platform} ${tool}: ${name}`,
    `  $ ${command.join(" ")}`,
    ...outcome.reasons.map((reason) => `  ${reason}`),
    ...outcome.output.map((line) => `  | ${line}`),
  ];
}

function describeNotRun(results: readonly CheckResult[]): string[] {
  const reasons = new Map<string, number>();
  for (const { platform, tool, command, outcome } of results) {
    if (outcome.state !== "not-run") continue;
    const what = command.length === 0 ? `${platform} ${tool}` : platform;
    const line = `${what}: ${outcome.reason}`;
    reasons.set(line, (reasons.get(line) ?? 0) + 1);
  }
  return [...reasons].flatMap(([line, count]) => ["", `not run (${count}): ${line}`]);
}
