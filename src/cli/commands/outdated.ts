// SPDX-License-Identifier: Apache-2.0
import { findNewerVersions } from "../../build/lock/index.ts";
import { readLockfile } from "../../workspace/index.ts";
import type { Command } from "../command.ts";
import { formatColumns } from "../measure.ts";
import { requireOperands } from "../option-value.ts";
import { openLockContext } from "../workbench.ts";
import { readWorkspaceFiles } from "../workspace-files.ts";

/** `toolbox outdated` */
export const outdatedCommand: Command = {
  summary: "Show which locked tools have newer versions",
  usage: "",
  options: {},
  examples: [{ command: "toolbox outdated --json", summary: "for a bot" }],
  async run({ operands }, context) {
    requireOperands(operands, {});
    const { workspace, lock, place } = await readWorkspaceFiles(context);
    const lockContext = await openLockContext(workspace, context);
    const outdated = await findNewerVersions(
      workspace,
      lock ?? (await readLockfile(place.lockFile)),
      lockContext,
    );
    if (outdated.length === 0) context.print("all tools are up to date");
    else {
      const rows = outdated.map(({ name, locked, wanted, latest, range }) => [
        name,
        locked,
        wanted ?? "?",
        latest ?? "?",
        range,
      ]);
      for (const line of formatColumns([["TOOL", "LOCKED", "WANTED", "LATEST", "WISH"], ...rows]))
        context.print(line);
    }
    context.printJson({ tools: outdated });
    return 0;
  },
};
