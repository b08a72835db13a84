// SPDX-License-Identifier: Apache-2.0
import type { Command } from "../command.ts";
import { FROZEN_OPTION, isFrozen } from "../frozen.ts";
import { describeDiff, lockAndWrite } from "../lock-pipeline.ts";
import { unknownToolError } from "../unknown-tool.ts";
import { readWorkspaceFiles } from "../workspace-files.ts";

/** `toolbox update` */
export const updateCommand: Command = {
  summary: "Move locked tools to the newest versions that toolbox.yaml allows",
  usage: "[TOOL...]",
  details: [
    "Without tools everything moves: all tools, the base, and a used image.",
    "`toolbox upgrade` moves a used image alone, and shows what changes in it.",
  ],
  options: {
    ...FROZEN_OPTION,
    "dry-run": { type: "boolean", summary: "Show the changes, but write nothing" },
  },
  examples: [
    { command: "toolbox update helm", summary: "one tool" },
    { command: "toolbox update --dry-run", summary: "see what would move" },
  ],
  async run({ operands, options }, context) {
    const files = await readWorkspaceFiles(context);
    const unknown = operands.find((name) => !files.workspace.tools.has(name));
    if (unknown !== undefined) throw unknownToolError(unknown, files.workspace.tools.keys());
    const update = operands.length === 0 ? ("all" as const) : operands;
    const dryRun = options["dry-run"] === true;
    const { diff } = await lockAndWrite(
      files,
      { update, frozen: isFrozen(options, context), dryRun },
      context,
    );
    for (const line of describeDiff(diff)) context.print(line);
    if (diff.same) context.print("everything is as new as toolbox.yaml allows");
    context.printJson({ file: files.place.lockFile, changed: !diff.same, diff });
    return 0;
  },
};
