// SPDX-License-Identifier: Apache-2.0
import { type CheckResult, countResults } from "./result.ts";

/** The results as JUnit XML, the form that GitLab, GitHub's reporters and Jenkins read. One suite per image and platform. */
export function formatJunit(results: readonly CheckResult[]): string {
  const suites = new Map<string, CheckResult[]>();
  for (const result of results) {
    const name = suiteOf(result);
    suites.set(name, [...(suites.get(name) ?? []), result]);
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="toolbox test"${formatTotals(results)}>`,
    ...[...suites].flatMap(([name, members]) => [
      `  <testsuite name="${escapeXml(name)}"${formatTotals(members)}>`,
      ...members.flatMap(formatCase),
      "  </testsuite>",
    ]),
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteOf({ image, platform }: CheckResult): string {
  return `${image} ${platform}`;
}

function formatTotals(results: readonly CheckResult[]): string {
  const { failed, notRun } = countResults(results);
  const time = formatSeconds(results.reduce((sum, { milliseconds }) => sum + milliseconds, 0));
  return ` tests="${results.length}" failures="${failed}" errors="0" skipped="${notRun}" time="${time}"`;
}

/** Readers tell cases apart by class and name, so the class holds image and platform as well. */
function formatCase(result: CheckResult): string[] {
  const { tool, name, outcome, milliseconds, command } = result;
  const className = escapeXml(`${suiteOf(result)} ${tool}`);
  const open = `    <testcase classname="${className}" name="${escapeXml(name)}" time="${formatSeconds(milliseconds)}"`;
  switch (outcome.state) {
    case "passed":
      return [`${open}/>`];
    case "not-run":
      return [`${open}>`, `      <skipped message="${escapeXml(outcome.reason)}"/>`, "    </testcase>"];
    case "failed": {
      const message = escapeXml(outcome.reasons.join("; "));
      const text = escapeXml([`$ ${command.join(" ")}`, ...outcome.output].join("\n"));
      return [`${open}>`, `      <failure message="${message}">${text}</failure>`, "    </testcase>"];
    }
  }
}

function formatSeconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/** XML 1.0 has no way to write most control characters, so they become spaces (XML 1.0, 2.2). */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
