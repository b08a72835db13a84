// SPDX-License-Identifier: Apache-2.0
import * as z from "zod";
import { type SourceDefinition, sourceDefinitionSchema } from "./source-definition.ts";
import { type ToolTest, toolTestSchema } from "./tool-test.ts";

/** How to ask a tool for its version. */
export interface VersionCheck {
  /** Arguments given to the first of the tool's binaries, such as `["version", "--client"]`. */
  readonly args: readonly string[];
  /** What the answer must hold. In a definition `{{version}}` stands for the version without `v`. */
  readonly contains: string;
}

/** One use of a tool that people really make. */
export interface ToolExample {
  readonly command: string;
  readonly description: string;
}

/** Commands (full argument vectors, the tool included) that print a completion script. Absent: the shell has none. */
export interface ToolCompletions {
  readonly bash?: readonly string[] | undefined;
  readonly zsh?: readonly string[] | undefined;
  readonly fish?: readonly string[] | undefined;
}

/** What help, manifests and tests need to know about a tool, whatever its source. */
export interface ToolAbout {
  /** One line, without a full stop. */
  readonly summary: string;
  /** Absent: it has none, as a script of a workspace. */
  readonly homepage?: string | undefined;
  /** SPDX licence expression. */
  readonly license: string;
  /** Names of the programs that it puts on PATH, the main one first. */
  readonly binaries: readonly string[];
  readonly version: VersionCheck;
  readonly examples: readonly ToolExample[];
  /** Absent: it prints none. */
  readonly completions?: ToolCompletions | undefined;
}

/** One command-line program of the catalog: ours or the user's, same shape. */
export interface ToolDefinition extends ToolAbout {
  readonly name: string;
  /** In order of preference. */
  readonly sources: readonly SourceDefinition[];
  /** Beside its version check. They are in no lock and no image: a new test changes no digest. Absent: none. */
  readonly tests?: readonly ToolTest[] | undefined;
}

const line = z
  .string()
  .min(1)
  .regex(/^[^\n]*$/, "is more than one line");
const program = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/, "is not a program name");
const argv = z.array(z.string().min(1)).min(1);

const versionCheck = z.strictObject({ args: z.array(z.string()), contains: z.string().min(1) });
const examples = z.array(z.strictObject({ command: line, description: line }));
const completions = z.strictObject({ bash: argv.optional(), zsh: argv.optional(), fish: argv.optional() });

const about = {
  summary: line,
  homepage: z
    .string()
    .regex(/^https?:\/\/\S+$/, "is not an http or https address")
    .optional(),
  license: line,
  binaries: z.array(program).min(1),
  version: versionCheck,
  examples,
  completions: completions.optional(),
};

/** Names a tool may have: lower case, as on the command line. */
export const toolNameSchema: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "is not a tool name (lower-case letters, digits, dot, dash)");

/** Checks the part of a tool that does not depend on its source. */
export const toolAboutSchema: z.ZodType<ToolAbout> = z.strictObject(about);

/** Checks a whole tool definition; unknown keys are errors. */
export const toolDefinitionSchema: z.ZodType<ToolDefinition> = z.strictObject({
  name: toolNameSchema,
  ...about,
  sources: z.array(sourceDefinitionSchema).min(1),
  tests: z.array(toolTestSchema).optional(),
});
