// SPDX-License-Identifier: Apache-2.0
import type { Command } from "../command.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { runInImage } from "../run-session.ts";
import { readSessionOptions } from "../session-options.ts";
import { runCommand } from "./run.ts";

/** `toolbox shell` */
export const shellCommand: Command = {
  summary: "Open an interactive shell in the image, with this folder at /work",
  usage: "",
  details: [
    "The prompt says where one is: the image with its version, and the context of kubeconfig when there is one.",
    "History, and whatever else is kept in HOME, belongs to the workspace and is there in the next shell. Completion",
    "works for every tool of the image that offers it; ~/.bashrc in that HOME is yours.",
    "--context and --namespace hold for this shell only: others keep theirs.",
  ],
  options: {
    ...runCommand.options,
    command: { type: "string", short: "c", value: "TEXT", summary: "Run this line in the shell instead" },
  },
  examples: [
    { command: "toolbox shell", summary: "look around" },
    { command: "toolbox shell -c 'helm template . | yq .kind'", summary: "a pipeline inside" },
    { command: "toolbox shell --context prod --namespace shop", summary: "one cluster, whatever is current" },
    { command: "toolbox shell -p 8080:80 -v ~/charts:/charts --memory 2g", summary: "more of this machine" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const line = textOption(options, "command");
    return await runInImage(
      {
        argv: line === undefined ? [] : ["bash", "-c", line],
        isShell: line === undefined,
        image: textOption(options, "image"),
        engine: textOption(options, "engine"),
        asRoot: options["root"] === true,
        extras: readSessionOptions(options),
      },
      context,
    );
  },
};
