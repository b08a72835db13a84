// SPDX-License-Identifier: Apache-2.0

/** Shells that a script can be written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One command, as far as completion needs it. */
export interface CompletedCommand {
  /** One word, or two for a command of a group. */
  readonly name: string;
  readonly summary: string;
  /** With their dashes. */
  readonly options: readonly string[];
}

/** A script that completes commands and their options, and leaves the words after a command of an image to files. */
export function completionScript(
  shell: (typeof SHELLS)[number],
  commands: readonly CompletedCommand[],
): string {
  if (shell === "fish") return fishScript(commands);
  const bash = bashScript(commands);
  return shell === "bash" ? bash : `autoload -Uz bashcompinit && bashcompinit\n${bash}`;
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const groups = groupsOf(commands);
  const cases = [
    ...[...groups].map(([group, members]) => {
      const branches = members.map(
        ({ name, options }) => `${name.split(" ")[1] ?? ""}) words="${options.join(" ")}" ;;`,
      );
      const names = members.map(({ name }) => name.split(" ")[1]).join(" ");
      return `    ${group}) case "\${COMP_WORDS[2]}" in ${branches.join(" ")} *) words="${names}" ;; esac ;;`;
    }),
    ...commands
      .filter(({ name }) => !name.includes(" "))
      .map(({ name, options }) => `    ${name}) words="${options.join(" ")}" ;;`),
  ];
  return `_toolbox_complete() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${firstWords(commands).join(" ")}"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _toolbox_complete toolbox tbx
`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const first = commands
    .filter(({ name }) => !name.includes(" "))
    .map(
      ({ name, summary }) =>
        `complete -c $program -n __fish_use_subcommand -a ${name} -d '${quote(summary)}'`,
    );
  const groups = [...groupsOf(commands)].flatMap(([group, members]) => [
    `complete -c $program -n __fish_use_subcommand -a ${group}`,
    ...members.map(({ name, summary }) => {
      const word = name.split(" ")[1] ?? "";
      return `complete -c $program -n '__fish_seen_subcommand_from ${group}' -a ${word} -d '${quote(summary)}'`;
    }),
  ]);
  const options = commands.flatMap(({ name, options }) =>
    options.map((option) => {
      const word = name.split(" ").at(-1) ?? name;
      return `complete -c $program -n '__fish_seen_subcommand_from ${word}' -l ${option.slice(2)}`;
    }),
  );
  const body = [...first, ...groups, ...options].map((line) => `  ${line}`).join("\n");
  return `for program in toolbox tbx\n${body}\nend\n`;
}

function firstWords(commands: readonly CompletedCommand[]): string[] {
  return [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? name))];
}

function groupsOf(commands: readonly CompletedCommand[]): Map<string, CompletedCommand[]> {
  const groups = new Map<string, CompletedCommand[]>();
  for (const command of commands) {
    const [group = "", member] = command.name.split(" ");
    if (member !== undefined) groups.set(group, [...(groups.get(group) ?? []), command]);
  }
  return groups;
}

function quote(text: string): string {
  return text.replaceAll("'", "\\'");
}
