// SPDX-License-Identifier: Apache-2.0
import type { ToolDefinition, ToolTest } from "../catalog/index.ts";

/** A tool that an image says it holds. */
export interface CheckedTool {
  readonly name: string;
  readonly version: string;
  /** How it is asked. Absent: nobody here knows the tool. */
  readonly definition?: Pick<ToolDefinition, "binaries" | "version" | "tests"> | undefined;
}

/** One command to run in an image, and what must come of it. */
export interface ToolCheck {
  readonly tool: string;
  /** `version`, or what the test of the definition is called. */
  readonly name: string;
  readonly command: readonly string[];
  readonly exitCode: number;
  /** All of them must be printed, on stdout or stderr. */
  readonly contains: readonly string[];
  /** Sources of regular expressions, flags `mu`. */
  readonly matches: readonly string[];
  /** Texts of files by path, relative to the folder where the command starts. */
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly network: "none" | "default";
}

/** What to run in an image. */
export interface CheckPlan {
  /** Of each tool its version check first. */
  readonly checks: readonly ToolCheck[];
  /** Names of the tools that cannot be asked, because there is no definition of them here. */
  readonly unknown: readonly string[];
}

/** Decides what to run, in the order of the tools. */
export function planChecks(tools: readonly CheckedTool[]): CheckPlan {
  return {
    checks: tools.flatMap(planTool),
    unknown: tools.filter(({ definition }) => definition === undefined).map(({ name }) => name),
  };
}

function planTool({ name, version, definition }: CheckedTool): ToolCheck[] {
  if (definition === undefined) return [];
  const { binaries, version: question, tests = [] } = definition;
  const fill = (text: string): string => text.replaceAll("{{version}}", version);
  const asked: ToolTest = {
    name: "version",
    command: [binaries[0] ?? name, ...question.args],
    contains: question.contains,
  };
  return [asked, ...tests].map((test) => ({
    tool: name,
    name: test.name,
    command: test.command,
    exitCode: test.exitCode ?? 0,
    contains: listOf(test.contains).map(fill),
    matches: listOf(test.matches),
    files: test.files ?? {},
    env: test.env ?? {},
    network: test.network ?? "none",
  }));
}

function listOf(oneOrMore: string | readonly string[] | undefined): readonly string[] {
  if (oneOrMore === undefined) return [];
  return typeof oneOrMore === "string" ? [oneOrMore] : oneOrMore;
}
