// SPDX-License-Identifier: Apache-2.0
import { formatReference, parseReference, readReferrerTree, type ReferrerNode } from "../../oci/index.ts";
import { openSubject } from "../artifact-subject.ts";
import type { Command } from "../command.ts";
import { requireOperands } from "../option-value.ts";
import { REGISTRY_OPTIONS } from "../registry-access.ts";

/** `toolbox artifact tree` */
export const artifactTreeCommand: Command = {
  summary: "Show what is attached to an image, what is attached to that, and so on",
  usage: "REF",
  options: {
    ...REGISTRY_OPTIONS,
    platform: { type: "string", value: "OS/CPU", summary: "From that manifest of an index on" },
  },
  examples: [{ command: "toolbox artifact tree registry.example.com/team/tools:1.4", summary: "as a tree" }],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 1, most: 1 });
    const { signal } = context;
    const reference = parseReference(operands[0] ?? "");
    const { source, subject } = await openSubject(reference, options, context);
    const list: Parameters<typeof readReferrerTree>[0] = async (digest, options) =>
      source.listReferrers(digest, options);
    const referrers = await readReferrerTree(list, subject.digest, { signal });
    const { registry, repository } = reference;
    const name = formatReference({ registry, repository, digest: subject.digest });
    context.print(name);
    for (const line of drawTree(referrers)) context.print(line);
    context.printJson({ subject: name, referrers });
    return 0;
  },
};

function drawTree(nodes: readonly ReferrerNode[], indent = ""): string[] {
  return nodes.flatMap(({ descriptor, referrers }, index) => {
    const isLast = index === nodes.length - 1;
    const line = `${indent}${isLast ? "└── " : "├── "}${descriptor.artifactType ?? descriptor.mediaType}  ${descriptor.digest}`;
    return [line, ...drawTree(referrers, `${indent}${isLast ? "    " : "│   "}`)];
  });
}
