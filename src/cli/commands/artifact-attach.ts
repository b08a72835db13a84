// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { formatReference, parseReference, planArtifact, pushArtifact } from "../../oci/index.ts";
import {
  ARTIFACT_OPTIONS,
  parseFileOperands,
  readAnnotations,
  requireArtifactType,
} from "../artifact-files.ts";
import { showPushed } from "../artifact-report.ts";
import { openSubject } from "../artifact-subject.ts";
import type { Command } from "../command.ts";
import { textOption } from "../option-value.ts";
import { REGISTRY_OPTIONS } from "../registry-access.ts";

/** `toolbox artifact attach` */
export const artifactAttachCommand: Command = {
  summary: "Push files as an artifact about an image: an SBOM, a report, a signature",
  usage: "--to REF FILE[:TYPE]... --artifact-type TYPE",
  details: [
    "The image itself is not changed. Where the registry has no referrers API, the list under the fallback tag is kept.",
    "Without files the artifact is its annotations.",
  ],
  options: {
    ...REGISTRY_OPTIONS,
    to: { type: "string", value: "REF", summary: "The image. Required" },
    platform: { type: "string", value: "OS/CPU", summary: "That manifest of an index instead of the index" },
    ...ARTIFACT_OPTIONS,
  },
  examples: [
    {
      command:
        "toolbox artifact attach --to registry.example.com/team/tools:1.4 sbom.json:application/spdx+json --artifact-type application/spdx+json",
      summary: "the SBOM of an image",
    },
  ],
  async run({ operands, options }, context) {
    const { cwd, signal, onProgress } = context;
    const reference = parseReference(requireSubject(textOption(options, "to")));
    const artifactType = requireArtifactType(options);
    const files = parseFileOperands(operands, cwd);
    if (files.length === 0 && options["annotation"] === undefined) {
      throw new ToolingError("COMMAND_USAGE", "there is nothing to attach", {
        hint: "Name a file, or give an --annotation.",
      });
    }
    const { source, subject } = await openSubject(reference, options, context);
    const annotations = readAnnotations(options, context, new Date());
    const plan = await planArtifact(artifactType, files, { subject, annotations, signal });
    const dryRun = options["dry-run"] === true;
    if (!dryRun) await pushArtifact(plan, source, { signal, onProgress });
    const { registry, repository } = reference;
    const name = formatReference({ registry, repository, digest: plan.descriptor.digest });
    showPushed(plan, { reference: name, subject: subject.digest, dryRun }, context);
    return 0;
  },
};

function requireSubject(to: string | undefined): string {
  if (to !== undefined) return to;
  throw new ToolingError("COMMAND_USAGE", "--to is missing", { hint: "Name the image: --to REF." });
}
