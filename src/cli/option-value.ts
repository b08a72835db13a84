// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { isPlatform, type Platform, PLATFORMS } from "../core/platform.ts";
import { suggestName } from "../core/suggestion.ts";
import type { CommandInput } from "./command.ts";

type Options = CommandInput["options"];

/** The value of a string option. Absent: it was not given. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** The values of an option that may be given several times, commas taken apart. Absent: it was not given. */
export function listOption(options: Options, name: string): readonly string[] | undefined {
  const value = options[name];
  if (!Array.isArray(value)) return undefined;
  return (value as readonly string[]).flatMap((text) => text.split(",")).filter((text) => text !== "");
}

/**
 * The values of `--platform`.
 *
 * @throws {ToolingError} `COMMAND_USAGE`
 */
export function platformsOption(options: Options): readonly Platform[] | undefined {
  return listOption(options, "platform")?.map((text) => {
    const full = text.includes("/") ? text : `linux/${text}`;
    if (isPlatform(full)) return full;
    throw new ToolingError("COMMAND_USAGE", `platform "${text}" is not one that images are built for`, {
      hint: `Write one of: ${PLATFORMS.join(", ")}.`,
    });
  });
}

/** The value of a `--platform` that other people's images may be for: `OS/CPU[/VARIANT]`, or a CPU of linux. */
export function platformOption(options: Options): string | undefined {
  const text = textOption(options, "platform");
  return text === undefined || text.includes("/") ? text : `linux/${text}`;
}

/**
 * The value of an option that takes one of a few words.
 *
 * @throws {ToolingError} `COMMAND_USAGE`
 */
export function choiceOption<T extends string>(
  options: Options,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = textOption(options, name);
  const found = choices.find((choice) => choice === text);
  if (text === undefined || found !== undefined) return found;
  const near = suggestName(text, choices);
  throw new ToolingError("COMMAND_USAGE", `--${name} is "${text}"`, {
    hint: `${near === undefined ? "" : `Did you mean "${near}"? `}Write one of: ${choices.join(", ")}.`,
  });
}

/**
 * Refuses operands of a command that takes none, or too few.
 *
 * @throws {ToolingError} `COMMAND_USAGE`
 */
export function requireOperands(
  operands: readonly string[],
  { least = 0, most = 0 }: { least?: number; most?: number },
): void {
  if (operands.length < least) {
    throw new ToolingError("COMMAND_USAGE", "an argument is missing", {
      hint: "See the usage line of `--help`.",
    });
  }
  if (operands.length > most) {
    throw new ToolingError("COMMAND_USAGE", `argument "${operands[most] ?? ""}" is one too many`, {
      hint: "See the usage line of `--help`.",
    });
  }
}
