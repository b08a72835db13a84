// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { makeFolder } from "../../core/make-folder.ts";
import type { Command } from "../command.ts";
import { requireOperands } from "../option-value.ts";
import { renderShim, requireFreeName, SHIM_FOLDER_OPTION, shimFolder } from "../shim.ts";

/** `toolbox shims install` */
export const shimsInstallCommand: Command = {
  summary: "Put tools on PATH that start in the image without toolbox",
  usage: "TOOL...",
  details: [
    "A shim is a small shell script that calls the engine itself (a warm container when one is up, bubblewrap or unshare",
    "where no daemon is used), with what the lock of the workspace that you are in says. The first call, and the first",
    "after a change of what it depends on, goes through `toolbox CMD`, and so does every call for runc and crun.",
  ],
  options: {
    dir: SHIM_FOLDER_OPTION,
    force: { type: "boolean", summary: "Also where a command of that name is there already" },
  },
  examples: [
    { command: "toolbox shims install kubectl helm", summary: "then just: kubectl get pods" },
    { command: "toolbox shims install jq --dir ~/bin --force", summary: "before the jq that is there" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 1, most: Infinity });
    const folder = shimFolder(options, context);
    const force = options["force"] === true;
    for (const tool of operands) await requireFreeName(tool, folder, { env: context.env, force });
    await makeFolder(folder);
    for (const tool of operands) {
      await writeFileAtomically(join(folder, tool), renderShim(tool, context), { mode: 0o755 });
      context.print(join(folder, tool));
    }
    if (!(context.env["PATH"] ?? "").split(":").includes(folder)) {
      context.note(`"${folder}" is not on PATH: add it, before the folders of other commands.`);
    }
    context.printJson({ folder, installed: operands });
    return 0;
  },
};
