// SPDX-License-Identifier: Apache-2.0
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ToolingError } from "../../core/error.ts";
import type { Command } from "../command.ts";
import { requireOperands } from "../option-value.ts";
import { isShim, SHIM_FOLDER_OPTION, shimFolder } from "../shim.ts";

/** `toolbox shims remove` */
export const shimsRemoveCommand: Command = {
  summary: "Take shims away",
  usage: "TOOL...",
  options: { dir: SHIM_FOLDER_OPTION },
  examples: [{ command: "toolbox shims remove kubectl", summary: "what was on PATH before is back" }],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 1, most: Infinity });
    const folder = shimFolder(options, context);
    for (const tool of operands) {
      if (await isShim(join(folder, tool))) continue;
      throw new ToolingError("FILE_NOT_FOUND", `"${join(folder, tool)}" is not a shim of toolbox`, {
        hint: "See `toolbox shims list`.",
      });
    }
    for (const tool of operands) await rm(join(folder, tool), { force: true });
    for (const tool of operands) context.print(`${join(folder, tool)} is gone`);
    context.printJson({ folder, removed: operands });
    return 0;
  },
};
