// SPDX-License-Identifier: Apache-2.0
import type { Command } from "../command.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { ALL_OPTION, listWarm, WARM_ENGINE_OPTION } from "../warm-engine.ts";

/** `toolbox ps` */
export const psCommand: Command = {
  summary: "List warm containers",
  usage: "",
  options: { all: ALL_OPTION, engine: WARM_ENGINE_OPTION },
  examples: [{ command: "toolbox ps --all", summary: "of all workspaces" }],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const all = options["all"] === true;
    const { sessions } = await listWarm({ engine: textOption(options, "engine"), all }, context);
    for (const { name, status, image, workspace } of sessions) {
      context.print([name, status, image, ...(all ? [workspace] : [])].join("  "));
    }
    if (sessions.length === 0) context.note("No warm container is up; `toolbox up` starts one.");
    context.printJson({
      containers: sessions.map(({ name, status, image, workspace }) => ({ name, status, image, workspace })),
    });
    return 0;
  },
};
