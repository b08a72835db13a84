// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { COMMANDS } from "../command-table.ts";
import type { Command } from "../command.ts";
import { completionScript, SHELLS } from "../completion-script.ts";
import { GLOBAL_OPTIONS } from "../global-options.ts";
import { requireOperands } from "../option-value.ts";

/** `toolbox completion` */
export const completionCommand: Command = {
  summary: "Print a completion script for bash, zsh or fish",
  usage: "bash|zsh|fish",
  options: {},
  examples: [
    { command: 'eval "$(toolbox completion bash)"', summary: "in ~/.bashrc" },
    { command: "toolbox completion fish > ~/.config/fish/completions/toolbox.fish", summary: "for fish" },
  ],
  async run({ operands }, { print, printJson }) {
    requireOperands(operands, { least: 1, most: 1 });
    const shell = SHELLS.find((name) => name === operands[0]);
    if (shell === undefined) {
      throw new ToolingError("COMMAND_USAGE", `"${operands[0] ?? ""}" is not a shell with completion`, {
        hint: `Write one of: ${SHELLS.join(", ")}.`,
      });
    }
    const commands = await Promise.all(
      Object.entries(COMMANDS).map(async ([name, { summary, load }]) => {
        const options = Object.keys({ ...(await load()).options, ...GLOBAL_OPTIONS }).map(
          (option) => `--${option}`,
        );
        return { name, summary, options };
      }),
    );
    const script = completionScript(shell, commands);
    print(script.trimEnd());
    printJson({ shell, script });
    return 0;
  },
};
