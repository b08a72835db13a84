// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { formatReference, parseReference } from "../../oci/index.ts";
import type { Command } from "../command.ts";
import { requireOperands } from "../option-value.ts";
import { openRepository, readAccess, REGISTRY_OPTIONS } from "../registry-access.ts";

/** `toolbox image tags` */
export const imageTagsCommand: Command = {
  summary: "List the tags of a repository",
  usage: "REPOSITORY",
  options: { ...REGISTRY_OPTIONS },
  examples: [{ command: "toolbox image tags registry.example.com/team/tools", summary: "one on each line" }],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 1, most: 1 });
    const { registry, repository, tag, digest } = parseReference(
      (operands[0] ?? "").replace(/^docker:\/\//, ""),
    );
    if (tag !== undefined || digest !== undefined) {
      throw new ToolingError("COMMAND_USAGE", `"${operands[0] ?? ""}" names one image of a repository`, {
        hint: `Leave the tag away: ${formatReference({ registry, repository })}.`,
      });
    }
    const opened = await openRepository({ registry, repository }, context, readAccess(options));
    const tags: string[] = [];
    for await (const each of opened.listTags({ signal: context.signal })) {
      tags.push(each);
      context.print(each);
    }
    context.printJson({ repository: formatReference({ registry, repository }), tags });
    return 0;
  },
};
