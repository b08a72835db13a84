// SPDX-License-Identifier: Apache-2.0
import type { Command } from "../command.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { runInImage } from "../run-session.ts";
import { runCommand } from "./run.ts";

/** `toolbox shell` */
export const shellCommand: Command = {
  summary: "Open an interactive shell in the image, with this folder at /work",
  usage: "",
  options: {
    ...runCommand.options,
    command: { type: "string", short: "c", value: "TEXT", summary: "Run this line in the shell instead" },
  },
  examples: [
    { command: "toolbox shell", summary: "look around" },
    { command: "toolbox shell -c 'helm template . | yq .kind'", summary: "a pipeline inside" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const line = textOption(options, "command");
    return await runInImage(
      {
        argv: line === undefined ? ["bash"] : ["bash", "-c", line],
        image: textOption(options, "image"),
        engine: textOption(options, "engine"),
        asRoot: options["root"] === true,
      },
      context,
    );
  },
};
