// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { Command } from "../command.ts";
import { requireOperands } from "../option-value.ts";
import { listShims, SHIM_FOLDER_OPTION, shimFolder } from "../shim.ts";

/** `toolbox shims list` */
export const shimsListCommand: Command = {
  summary: "List the shims of a folder",
  usage: "",
  options: { dir: SHIM_FOLDER_OPTION },
  examples: [{ command: "toolbox shims list", summary: "those in ~/.local/bin" }],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const folder = shimFolder(options, context);
    const names = await listShims(folder);
    for (const name of names) context.print(join(folder, name));
    if (names.length === 0) context.note(`No shim is in "${folder}".`);
    context.printJson({ folder, shims: names });
    return 0;
  },
};
