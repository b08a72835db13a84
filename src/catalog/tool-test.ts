// SPDX-License-Identifier: Apache-2.0
import * as z from "zod";

/** One command that shows that a tool does its work, and what must come of it. */
export interface ToolTest {
  /** What the command shows, in a few words. */
  readonly name: string;
  /** The program and its arguments. No shell reads them. */
  readonly command: readonly string[];
  /** Absent: 0. */
  readonly exitCode?: number | undefined;
  /** Texts that it must print, on stdout or stderr. `{{version}}` stands for the tool's version. Absent: any will do. */
  readonly contains?: string | readonly string[] | undefined;
  /** Regular expressions (JavaScript, flags `mu`) that what it prints must match. Absent: none. */
  readonly matches?: string | readonly string[] | undefined;
  /** Texts of the files in the folder that the command starts in, by path. Absent: the folder is empty. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  /** Variables of the command, on top of those of the image. Absent: none. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Absent: `none`, so that the test cannot depend on anything outside of the image. */
  readonly network?: "none" | "default" | undefined;
}

const FILE_LIMIT = 65_536;

const line = z
  .string()
  .min(1)
  .regex(/^[^\n]*$/, "is more than one line");
const path = z
  .string()
  .regex(
    /^(?!(?:.*\/)?\.{1,2}(?:\/|$))[^/\0\\]+(?:\/[^/\0\\]+)*$/,
    "is not a path below the folder of the test",
  );
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is not the name of a variable");
const expression = line.refine(isExpression, "is not a regular expression");

const oneOrMore = <T extends z.ZodType<string>>(one: T): z.ZodUnion<readonly [T, z.ZodArray<T>]> =>
  z.union([one, z.array(one).min(1)]);

/** Checks one entry of `tests:`. */
export const toolTestSchema: z.ZodType<ToolTest> = z.strictObject({
  name: line.describe("What the command shows, in a few words"),
  command: z.array(z.string()).min(1).describe("The program and its arguments; no shell reads them"),
  exitCode: z.int().min(0).max(255).optional().describe("Default: 0"),
  contains: oneOrMore(z.string().min(1)).optional().describe("What it must print"),
  matches: oneOrMore(expression).optional().describe("Regular expressions that what it prints must match"),
  files: z
    .record(path, z.string().max(FILE_LIMIT))
    .optional()
    .describe("Files in the folder where the command starts"),
  env: z
    .record(variable, line.or(z.literal("")))
    .optional()
    .describe("Variables of the command"),
  network: z.enum(["none", "default"]).optional().describe("Default: none"),
});

function isExpression(text: string): boolean {
  try {
    return new RegExp(text, "mu") instanceof RegExp;
  } catch {
    return false;
  }
}
