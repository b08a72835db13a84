// SPDX-License-Identifier: Apache-2.0
import type { CheckResult } from "./result.ts";

/** The results as TAP 14 (https://testanything.org/tap-version-14-specification.html), ending with a line end. */
export function formatTap(results: readonly CheckResult[]): string {
  const lines = ["TAP version 14", `1..${results.length}`];
  for (const [index, result] of results.entries()) lines.push(...formatPoint(result, index + 1));
  return `${lines.join("\n")}\n`;
}

function formatPoint({ image, platform, tool, name, outcome, ...more }: CheckResult, id: number): string[] {
  const title = escapeDescription(`${image} ${platform} ${tool}: ${name}`);
  switch (outcome.state) {
    case "passed":
      return [`ok ${id} - ${title}`, ...formatDiagnostic({ duration_ms: Math.round(more.milliseconds) })];
    case "not-run":
      return [`ok ${id} - ${title} # SKIP ${escapeDescription(outcome.reason)}`];
    case "failed":
      return [
        `not ok ${id} - ${title}`,
        ...formatDiagnostic({
          message: outcome.reasons.join("; "),
          command: more.command,
          output: outcome.output.join("\n"),
          duration_ms: Math.round(more.milliseconds),
        }),
      ];
  }
}

/** A YAML block whose values are JSON, which YAML reads. */
function formatDiagnostic(values: Readonly<Record<string, unknown>>): string[] {
  return [
    "  ---",
    ...Object.entries(values).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`),
    "  ...",
  ];
}

function escapeDescription(text: string): string {
  return text.replaceAll(/[\\#]/g, "\\$&").replaceAll(/\s+/g, " ");
}
