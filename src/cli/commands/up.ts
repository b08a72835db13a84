// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { Command } from "../command.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { openRun } from "../run-session.ts";
import { requireWarmth, WARM_ENGINE_OPTION } from "../warm-engine.ts";

/** Minutes without a command after which a warm container ends. */
const DEFAULT_IDLE = 30;

/** `toolbox up` */
export const upCommand: Command = {
  summary: "Keep a container warm, so that the next commands start at once",
  usage: "",
  details: [
    "One container per workspace, image and session. `toolbox CMD` uses it while it is up, and starts a container of",
    "its own otherwise: when the session changed, for --root, and where only one end of the command is a terminal.",
    "What commands leave outside of /work and HOME stays until it ends. The embedded runner needs no warm container.",
  ],
  options: {
    image: { type: "string", value: "NAME", summary: "An image of the workspace, or any reference" },
    engine: WARM_ENGINE_OPTION,
    idle: {
      type: "string",
      value: "MINUTES",
      summary: `It ends after so long without a command (default: ${DEFAULT_IDLE})`,
    },
  },
  examples: [
    { command: "toolbox up && toolbox helm lint .", summary: "the second and all that follow are quick" },
    { command: "toolbox up --idle 480", summary: "for the working day" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const idle = Math.ceil(minutesOf(textOption(options, "idle") ?? String(DEFAULT_IDLE)) * 60);
    const request = { argv: [], image: textOption(options, "image"), engine: textOption(options, "engine") };
    const { session, engine, held } = await openRun(request, context);
    const up = await requireWarmth(engine).up(session, held, { idle, signal: context.signal });
    const { name, image, workspace, started } = up;
    context.print(started ? `${name} is up` : `${name} was up already`);
    if (started)
      context.note(`It ends after ${idle / 60} minutes without a command; \`toolbox down\` ends it.`);
    context.printJson({ engine: engine.name, name, image, workspace, started });
    return 0;
  },
};

function minutesOf(text: string): number {
  const minutes = /^\d{1,6}(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (minutes > 0) return minutes;
  throw new ToolingError("COMMAND_USAGE", `--idle is "${text}"`, {
    hint: "Write a number of minutes, such as 30.",
  });
}
