// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { Command } from "../command.ts";
import { textOption } from "../option-value.ts";
import { runInImage } from "../run-session.ts";
import { readSessionOptions, SESSION_OPTIONS } from "../session-options.ts";

/** `toolbox run`, and `toolbox CMD` */
export const runCommand: Command = {
  summary: "Run a command in the image, with this folder at /work",
  usage: "CMD [ARGUMENT...]",
  details: [
    "Options end at the command: everything after it is the command's own, byte for byte.",
    "The exit code is the command's; 125 means that the engine failed, 126 and 127 that the command could not start.",
  ],
  options: {
    image: { type: "string", value: "NAME", summary: "An image of the workspace, or any reference" },
    engine: {
      type: "string",
      value: "NAME",
      summary: "docker, podman, nerdctl or embedded. Default: TOOLBOX_ENGINE, else what is there",
    },
    root: { type: "boolean", summary: "Run as root inside instead of as you" },
    ...SESSION_OPTIONS,
  },
  examples: [
    { command: "toolbox helm lint .", summary: "the short form" },
    { command: "toolbox run --image team-tools kubectl get pods", summary: "in a certain image" },
  ],
  passThrough: true,
  async run({ operands, options }, context) {
    if (operands.length === 0) {
      throw new ToolingError("COMMAND_USAGE", "a command to run is missing", {
        hint: "Write `toolbox run CMD...`; `toolbox shell` opens a shell.",
      });
    }
    return await runInImage(
      {
        argv: operands,
        image: textOption(options, "image"),
        engine: textOption(options, "engine"),
        asRoot: options["root"] === true,
        extras: readSessionOptions(options),
      },
      context,
    );
  },
};
