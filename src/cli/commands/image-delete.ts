// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { formatReference, parseReference, type Reference } from "../../oci/index.ts";
import type { Command } from "../command.ts";
import { requireOperands } from "../option-value.ts";
import { openRepository, readAccess, REGISTRY_OPTIONS } from "../registry-access.ts";

/** `toolbox image delete` */
export const imageDeleteCommand: Command = {
  summary: "Delete a tag, or an image with all its tags, from a registry",
  usage: "REF",
  details: [
    "REF with a tag deletes the tag and nothing else, where the registry can do that; with --manifest or a digest the",
    "image goes, and every tag with it. Blobs that nothing needs any more are freed by the registry's garbage collection.",
  ],
  options: {
    ...REGISTRY_OPTIONS,
    manifest: { type: "boolean", summary: "The image that the tag stands for, with all its tags" },
    "dry-run": { type: "boolean", summary: "Show what would be deleted" },
  },
  examples: [
    { command: "toolbox image delete registry.example.com/team/tools:old", summary: "one tag" },
    { command: "toolbox image delete registry.example.com/team/tools:old --manifest", summary: "the image" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 1, most: 1 });
    const { signal } = context;
    const reference = parseReference((operands[0] ?? "").replace(/^docker:\/\//, ""));
    const wanted = requireWanted(reference, operands[0] ?? "");
    const opened = await openRepository(reference, context, readAccess(options));
    const { digest } = await opened.resolveManifest(wanted, { signal });
    const isWhole = reference.digest !== undefined || options["manifest"] === true;
    const dryRun = options["dry-run"] === true;
    if (!dryRun)
      await (isWhole ? opened.deleteManifest(digest, { signal }) : opened.deleteTag(wanted, { signal }));
    const { registry, repository } = reference;
    const deleted = formatReference({ registry, repository, ...(isWhole ? { digest } : { tag: wanted }) });
    context.print(`${deleted} ${dryRun ? "would be deleted" : "is deleted"}`);
    context.printJson({ deleted, kind: isWhole ? "manifest" : "tag", digest, dryRun });
    return 0;
  },
};

function requireWanted({ digest, tag }: Reference, text: string): string {
  const wanted = digest ?? tag;
  if (wanted !== undefined) return wanted;
  throw new ToolingError("COMMAND_USAGE", `"${text}" names neither a tag nor a digest`, {
    hint: "Write REPOSITORY:TAG or REPOSITORY@DIGEST; a whole repository is never deleted.",
  });
}
