// SPDX-License-Identifier: Apache-2.0
import type { Command } from "../command.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { ALL_OPTION, listWarm, WARM_ENGINE_OPTION } from "../warm-engine.ts";

/** `toolbox down` */
export const downCommand: Command = {
  summary: "Stop warm containers",
  usage: "",
  options: { all: ALL_OPTION, engine: WARM_ENGINE_OPTION },
  examples: [
    { command: "toolbox down", summary: "of this workspace" },
    { command: "toolbox down --all", summary: "every one" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const query = { engine: textOption(options, "engine"), all: options["all"] === true };
    const { warmth, sessions } = await listWarm(query, context);
    await warmth.down(sessions, { signal: context.signal });
    for (const { name } of sessions) context.print(`${name} is down`);
    if (sessions.length === 0) context.note("No warm container was up.");
    context.printJson({ stopped: sessions.map(({ name }) => name) });
    return 0;
  },
};
