// SPDX-License-Identifier: Apache-2.0
import type { ProgressEvent } from "../core/operation.ts";
import type { MachinePaths } from "./machine-paths.ts";

/** One option of a command, for parsing and for its help. */
export interface CommandOption {
  readonly type: "boolean" | "string";
  /** One letter. */
  readonly short?: string;
  /** May be given several times; its value is then a list. */
  readonly multiple?: boolean;
  /** What stands for the value in the help: `DIR`. For strings only. */
  readonly value?: string;
  readonly summary: string;
}

/** What was typed after a command's name. */
export interface CommandInput {
  /** Words that are not options. For a pass-through command everything from the first such word on, untouched. */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

/** One example of the help. */
export interface CommandExample {
  readonly command: string;
  readonly summary: string;
}

/** What a command may know of its process. Nothing below src/cli/ sees the process itself. */
export interface CommandContext {
  /** Where relative operands start from. Absolute. */
  readonly cwd: string;
  /** Where the search for the workspace starts: `-C`, else {@link cwd}. Absolute. */
  readonly start: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home folder. Absolute. */
  readonly home: string;
  readonly paths: MachinePaths;
  readonly version: string;
  readonly terminal: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Stops our own handling of signals, for a command that passes them on to another program. */
  readonly releaseSignals: () => void;
  /** Takes the progress view away for good, before another program takes over the terminal. */
  readonly endProgress: () => void;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Fit for {@link OperationOptions}; shows bars or lines on stderr. */
  readonly onProgress: (event: ProgressEvent) => void;
  /** A line of the result for people, on stdout. Silent under `--json`. */
  readonly print: (line: string) => void;
  /** Text on stdout as it is, no line end added: documents whose bytes matter. */
  readonly printExactly: (text: string) => void;
  /** The result for scripts, on stdout. Silent without `--json`. */
  readonly printJson: (value: unknown) => void;
  /** A line for people about what goes on, on stderr. Silent under `--quiet`. */
  readonly note: (line: string) => void;
  /** A line on stderr that `--quiet` does not silence: why something did not happen. */
  readonly complain: (line: string) => void;
}

/** A command is data; the table loads it on demand. */
export interface Command {
  readonly summary: string;
  /** What follows the name: `TOOL[@RANGE]...`. */
  readonly usage: string;
  /** More lines for the help. Absent: the summary says it all. */
  readonly details?: readonly string[];
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples: readonly CommandExample[];
  /** Options end at the first other word, and all that follows is passed on as it is. */
  readonly passThrough?: boolean;
  /** Gives the exit code; absent means 0. */
  run(input: CommandInput, context: CommandContext): Promise<number | undefined>;
}
