// SPDX-License-Identifier: Apache-2.0
import type { ToolCheck } from "./plan-checks.ts";
import type { CheckOutcome } from "./result.ts";

/** How a command ended, and what it printed. */
export interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it did not start. Absent: it did. */
  readonly failure?: string | undefined;
  /** Seconds after which it was ended. Absent: it ended by itself. */
  readonly endedAfter?: number | undefined;
}

/** Lines of output that a report shows of a failed check. */
const SHOWN_LINES = 20;

/** Whether an answer is what the check wants. */
export function judgeAnswer(check: ToolCheck, answer: Answer): CheckOutcome {
  const reasons = findFaults(check, answer);
  if (reasons.length === 0) return { state: "passed" };
  return { state: "failed", reasons, output: lastLines(printed(answer)) };
}

function findFaults({ exitCode, contains, matches }: ToolCheck, answer: Answer): string[] {
  if (answer.endedAfter !== undefined) return [`it did not end within ${answer.endedAfter} s`];
  if (answer.failure !== undefined) return [`it did not start: ${answer.failure}`];
  const text = printed(answer);
  return [
    ...(answer.exitCode === exitCode ? [] : [`it ended with ${answer.exitCode} instead of ${exitCode}`]),
    ...contains.filter((part) => !text.includes(part)).map((part) => `it does not print "${part}"`),
    ...matches
      .filter((source) => !new RegExp(source, "mu").test(text))
      .map((source) => `it prints nothing that matches /${source}/`),
  ];
}

/** Programs disagree about where a version or a finding belongs, so both streams are looked at. */
function printed({ stdout, stderr }: Answer): string {
  return stdout === "" || stdout.endsWith("\n") ? `${stdout}${stderr}` : `${stdout}\n${stderr}`;
}

/** What a program printed cannot move the cursor of whoever reads the report. */
function lastLines(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .slice(-SHOWN_LINES)
    .map((line) =>
      line
        .replaceAll("\t", "  ")
        .replaceAll(/\p{C}+/gu, " ")
        .trimEnd(),
    )
    .filter((line, _, all) => line !== "" || all.length > 1);
}
