// SPDX-License-Identifier: Apache-2.0
import type { CommandOption } from "./command.ts";

/** Options that every command takes, before its name or after it. */
export const GLOBAL_OPTIONS: Readonly<Record<string, CommandOption>> = {
  workspace: {
    type: "string",
    short: "C",
    value: "DIR",
    summary: "Look for toolbox.yaml in DIR instead of here",
  },
  json: { type: "boolean", summary: "Print the result, or the error, as JSON on stdout" },
  quiet: { type: "boolean", short: "q", summary: "Only results and errors" },
  "no-progress": { type: "boolean", summary: "No progress bars or lines" },
  debug: { type: "boolean", summary: "Show the stack of every error" },
  help: { type: "boolean", short: "h", summary: "Show this help" },
};

/** Options of the program itself; only before a command's name. */
export const PROGRAM_OPTIONS: Readonly<Record<string, CommandOption>> = {
  ...GLOBAL_OPTIONS,
  version: { type: "boolean", short: "V", summary: "Print the version of toolbox" },
};
