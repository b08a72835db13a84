// SPDX-License-Identifier: Apache-2.0
import { COMMANDS, type CommandEntry, membersOf } from "./command-table.ts";
import type { Command, CommandOption } from "./command.ts";
import { GLOBAL_OPTIONS, PROGRAM_OPTIONS } from "./global-options.ts";

const GROUPS: readonly (readonly [CommandEntry["group"], string])[] = [
  ["using", "Use an image"],
  ["making", "Make images"],
  ["shipping", "Ship them"],
  ["registries", "Registries"],
];

/** `toolbox --help`. */
export function programHelp(): string {
  const commands = GROUPS.flatMap(([group, title]) => [
    "",
    `${title}:`,
    ...table(
      Object.entries(COMMANDS)
        .filter(([, entry]) => entry.group === group)
        .map(([name, { summary }]) => [name, summary]),
    ),
  ]);
  return lines([
    "Usage: toolbox [OPTION...] COMMAND [ARGUMENT...]",
    "       toolbox [OPTION...] CMD [ARGUMENT...]     any other word is a command for the image",
    "",
    "One image, three contexts: declare your command-line tools once, run the same digest",
    "in CI, on a laptop and at a colleague's desk.",
    ...commands,
    "",
    "Options:",
    ...optionTable(PROGRAM_OPTIONS),
    "",
    "Examples:",
    ...exampleLines([
      { command: "toolbox init && toolbox add kubectl@1.34 helm", summary: "declare two tools" },
      { command: "toolbox lock && toolbox build", summary: "resolve and build for both CPUs" },
      { command: "toolbox helm lint .", summary: "run one of them on this folder" },
      { command: "toolbox -- build --help", summary: "run a command that has the name of a verb" },
    ]),
    "",
    "`toolbox COMMAND --help` tells more about one command.",
  ]);
}

/** `toolbox NAME --help`. */
export function commandHelp(name: string, command: Command): string {
  return lines([
    `Usage: toolbox ${name} [OPTION...] ${command.usage}`.trimEnd(),
    "",
    `${command.summary}.`,
    ...(command.details === undefined ? [] : ["", ...command.details]),
    ...(Object.keys(command.options).length === 0 ? [] : ["", "Options:", ...optionTable(command.options)]),
    "",
    "Options of every command:",
    ...optionTable(GLOBAL_OPTIONS),
    "",
    "Examples:",
    ...exampleLines(command.examples),
  ]);
}

/** `toolbox registry` and `toolbox registry --help`. */
export function groupHelp(group: string): string {
  const rows = membersOf(group).map((name) => [name, COMMANDS[`${group} ${name}`]?.summary ?? ""] as const);
  return lines([`Usage: toolbox ${group} COMMAND [ARGUMENT...]`, "", "Commands:", ...table(rows)]);
}

function optionTable(options: Readonly<Record<string, CommandOption>>): string[] {
  return table(
    Object.entries(options).map(([name, { short, value, type, summary }]) => [
      `${short === undefined ? "    " : `-${short}, `}--${name}${type === "string" ? ` ${value ?? "VALUE"}` : ""}`,
      summary,
    ]),
  );
}

function exampleLines(examples: Command["examples"]): string[] {
  return table(examples.map(({ command, summary }) => [command, `# ${summary}`]));
}

function table(rows: readonly (readonly [string, string] | readonly string[])[]): string[] {
  const width = Math.min(48, Math.max(0, ...rows.map(([left = ""]) => left.length)));
  return rows.map(([left = "", right = ""]) => `  ${left.padEnd(width)}  ${right}`);
}

function lines(parts: readonly string[]): string {
  return `${parts.join("\n")}\n`;
}
