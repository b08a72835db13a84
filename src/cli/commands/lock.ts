// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { Command } from "../command.ts";
import { FROZEN_OPTION, isFrozen } from "../frozen.ts";
import { describeDiff, lockAndWrite } from "../lock-pipeline.ts";
import { requireOperands } from "../option-value.ts";
import { readWorkspaceFiles } from "../workspace-files.ts";

/** `toolbox lock` */
export const lockCommand: Command = {
  summary: "Resolve the wishes of toolbox.yaml to exact versions and digests in toolbox.lock",
  usage: "",
  details: ["What is locked stays where it is while its wish allows it; `toolbox update` moves it."],
  options: {
    ...FROZEN_OPTION,
    check: { type: "boolean", summary: "Only say whether toolbox.lock answers toolbox.yaml" },
    "dry-run": { type: "boolean", summary: "Resolve and show the changes, but write nothing" },
  },
  examples: [
    { command: "toolbox lock", summary: "after each change of toolbox.yaml" },
    { command: "toolbox lock --check", summary: "in a pre-commit hook" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const files = await readWorkspaceFiles(context);
    const frozen = options["check"] === true || isFrozen(options, context);
    try {
      const { lock, diff } = await lockAndWrite(
        files,
        { frozen, dryRun: options["dry-run"] === true },
        context,
      );
      for (const line of describeDiff(diff)) context.print(line);
      if (diff.same) context.print("toolbox.lock is up to date");
      const versions = Object.fromEntries(
        Object.values(lock.tools).map(({ name, version }) => [name, version]),
      );
      context.printJson({ file: files.place.lockFile, changed: !diff.same, diff, tools: versions });
      return 0;
    } catch (error) {
      if (options["check"] !== true || !(error instanceof ToolingError) || error.code !== "LOCK_FROZEN")
        throw error;
      throw new ToolingError("LOCK_STALE", `"${files.place.lockFile}" does not answer toolbox.yaml`, {
        hint: "Run `toolbox lock` and commit the result.",
        cause: error,
      });
    }
  },
};
