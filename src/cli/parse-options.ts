// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";
import { ToolingError } from "../core/error.ts";
import { suggestName } from "../core/suggestion.ts";
import type { CommandInput, CommandOption } from "./command.ts";

type Options = Readonly<Record<string, CommandOption>>;

/**
 * Reads options and operands in any order; `--` ends the options.
 *
 * @throws {ToolingError} `COMMAND_USAGE`
 */
export function parseOptions(words: readonly string[], options: Options, command: string): CommandInput {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: configOf(options),
      allowPositionals: true,
    });
    return { options: { ...values } as CommandInput["options"], operands: positionals };
  } catch (error) {
    throw usageError(error, options, command);
  }
}

/**
 * Splits `words` where the options end: at `--`, which is dropped, or at the first other word. An option that
 * is not in the table stays with the options, for {@link parseOptions} to complain about.
 */
export function splitLeadingOptions(
  words: readonly string[],
  options: Options,
): { readonly leading: readonly string[]; readonly rest: readonly string[]; readonly separated: boolean } {
  let index = 0;
  while (index < words.length) {
    const word = words[index] ?? "";
    if (word === "--")
      return { leading: words.slice(0, index), rest: words.slice(index + 1), separated: true };
    if (!word.startsWith("-") || word === "-") break;
    index += takesNextWord(word, options) ? 2 : 1;
  }
  return { leading: words.slice(0, index), rest: words.slice(index), separated: false };
}

function takesNextWord(word: string, options: Options): boolean {
  if (word.startsWith("--")) return !word.includes("=") && options[word.slice(2)]?.type === "string";
  const letters = word.slice(1).split("");
  const valued = letters.findIndex((letter) => byLetter(letter, options)?.type === "string");
  return valued !== -1 && valued === letters.length - 1;
}

function byLetter(letter: string, options: Options): CommandOption | undefined {
  return Object.values(options).find(({ short }) => short === letter);
}

type ArgsConfig = Record<string, { type: "boolean" | "string"; short?: string; multiple?: boolean }>;

function configOf(options: Options): ArgsConfig {
  const entries = Object.entries(options).map(([name, { type, short, multiple = false }]) => {
    return [name, short === undefined ? { type, multiple } : { type, multiple, short }] as const;
  });
  return Object.fromEntries(entries);
}

function usageError(error: unknown, options: Options, command: string): unknown {
  if (!(error instanceof TypeError) || !("code" in error)) return error;
  const help = `Run \`${command} --help\` to see its options.`;
  const option = /'(-[^' ]+)/.exec(error.message)?.[1]?.replace(/,$/, "") ?? "";
  if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const near = suggestName(option.replace(/^-+/, ""), Object.keys(options));
    return new ToolingError("COMMAND_USAGE", `option "${option}" is unknown to \`${command}\``, {
      hint: near === undefined ? help : `Did you mean "--${near}"?`,
      cause: error,
    });
  }
  const needsValue = /argument missing|ambiguous/i.test(error.message);
  const message = needsValue ? `option "${option}" needs a value` : `option "${option}" takes no value`;
  return new ToolingError("COMMAND_USAGE", message, { hint: help, cause: error });
}
