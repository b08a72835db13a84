// SPDX-License-Identifier: Apache-2.0
import { formatReference, parseReference, planArtifact, pushArtifact } from "../../oci/index.ts";
import {
  ARTIFACT_OPTIONS,
  parseFileOperands,
  readAnnotations,
  requireArtifactType,
} from "../artifact-files.ts";
import { showPushed } from "../artifact-report.ts";
import type { Command } from "../command.ts";
import { requireOperands } from "../option-value.ts";
import { openRepository, readAccess, REGISTRY_OPTIONS } from "../registry-access.ts";

/** `toolbox artifact push` */
export const artifactPushCommand: Command = {
  summary: "Push files to a registry as an artifact",
  usage: "REF FILE[:TYPE]... --artifact-type TYPE",
  details: ["SOURCE_DATE_EPOCH fixes the time that is noted, so that the same files give the same digest."],
  options: { ...REGISTRY_OPTIONS, ...ARTIFACT_OPTIONS },
  examples: [
    {
      command:
        "toolbox artifact push registry.example.com/team/sbom:1.4 sbom.json:application/spdx+json --artifact-type application/spdx+json",
      summary: "an SBOM of its own",
    },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 2, most: Number.POSITIVE_INFINITY });
    const [name = "", ...files] = operands;
    const { cwd, signal, onProgress } = context;
    const reference = parseReference(name);
    const { registry, repository, tag, digest } = reference;
    const artifactType = requireArtifactType(options);
    const annotations = readAnnotations(options, context, new Date());
    const plan = await planArtifact(artifactType, parseFileOperands(files, cwd), { annotations, signal });
    const dryRun = options["dry-run"] === true;
    const named = tag ?? (digest === undefined ? "latest" : undefined);
    if (!dryRun) {
      const opened = await openRepository(reference, context, readAccess(options));
      await pushArtifact(plan, opened, { tag: named, signal, onProgress });
    }
    const full = { registry, repository, ...(named !== undefined && { tag: named }) };
    showPushed(plan, { reference: formatReference(full), dryRun }, context);
    return 0;
  },
};
