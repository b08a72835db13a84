// SPDX-License-Identifier: Apache-2.0
import { formatReference, parseReference } from "../../oci/index.ts";
import { openSubject } from "../artifact-subject.ts";
import type { Command } from "../command.ts";
import { formatColumns, formatSize } from "../measure.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { REGISTRY_OPTIONS } from "../registry-access.ts";

/** `toolbox artifact list` */
export const artifactListCommand: Command = {
  summary: "List what is attached to an image",
  usage: "REF",
  options: {
    ...REGISTRY_OPTIONS,
    "artifact-type": { type: "string", value: "TYPE", summary: "Only those of this type" },
    platform: { type: "string", value: "OS/CPU", summary: "To that manifest of an index, not to the index" },
  },
  examples: [
    { command: "toolbox artifact list registry.example.com/team/tools:1.4", summary: "one on each line" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 1, most: 1 });
    const { signal } = context;
    const reference = parseReference(operands[0] ?? "");
    const { source, subject } = await openSubject(reference, options, context);
    const artifactType = textOption(options, "artifact-type");
    const referrers = await source.listReferrers(subject.digest, { artifactType, signal });
    const rows = referrers.map((each) => [
      each.digest,
      formatSize(each.size),
      each.artifactType ?? each.mediaType,
    ]);
    for (const line of formatColumns(rows)) context.print(line);
    const { registry, repository } = reference;
    context.printJson({
      subject: formatReference({ registry, repository, digest: subject.digest }),
      referrers,
    });
    return 0;
  },
};
