// SPDX-License-Identifier: Apache-2.0
import type { Command } from "../command.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { listWarm, WARM_ENGINE_OPTION } from "../warm-engine.ts";

/** `toolbox logs` */
export const logsCommand: Command = {
  summary: "Show what the warm containers of this workspace say",
  usage: "",
  details: ["Only their first process is heard here: what commands print goes to whoever called them."],
  options: {
    engine: WARM_ENGINE_OPTION,
    follow: { type: "boolean", short: "f", summary: "Go on until it ends; for one container" },
  },
  examples: [{ command: "toolbox logs --follow", summary: "see it end" }],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const query = { engine: textOption(options, "engine"), all: false };
    const { warmth, sessions } = await listWarm(query, context);
    if (sessions.length === 0) context.note("No warm container is up; `toolbox up` starts one.");
    context.releaseSignals();
    let worst = 0;
    for (const session of sessions) {
      const { exitCode } = await warmth.logs(session, { follow: options["follow"] === true });
      worst = Math.max(worst, exitCode);
    }
    return worst;
  },
};
