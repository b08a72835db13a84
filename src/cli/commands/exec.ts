// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { Command } from "../command.ts";
import { textOption } from "../option-value.ts";
import { runInImage } from "../run-session.ts";
import { listWarm, WARM_ENGINE_OPTION } from "../warm-engine.ts";

/** `toolbox exec` */
export const execCommand: Command = {
  summary: "Run a command in the warm container only",
  usage: "CMD [ARGUMENT...]",
  details: ["Like `toolbox CMD`, which uses a warm container as well, but an error when none is up here."],
  options: {
    image: { type: "string", value: "NAME", summary: "An image of the workspace, or any reference" },
    engine: WARM_ENGINE_OPTION,
  },
  examples: [{ command: "toolbox exec bash", summary: "a second shell beside the first" }],
  passThrough: true,
  async run({ operands, options }, context) {
    if (operands.length === 0) {
      throw new ToolingError("COMMAND_USAGE", "a command to run is missing", {
        hint: "Write `toolbox exec CMD...`.",
      });
    }
    const engine = textOption(options, "engine");
    const { sessions } = await listWarm({ engine, all: false }, context);
    if (sessions.length === 0) {
      throw new ToolingError("COMMAND_NOT_FOUND", "no warm container of this workspace is up", {
        hint: "Run `toolbox up` first, or write `toolbox CMD`, which needs none.",
      });
    }
    return await runInImage({ argv: operands, image: textOption(options, "image"), engine }, context);
  },
};
