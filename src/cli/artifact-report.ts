// SPDX-License-Identifier: Apache-2.0
import type { ArtifactPlan } from "../oci/index.ts";
import type { CommandContext } from "./command.ts";
import { formatColumns, formatSize } from "./measure.ts";

/** Shows what was pushed, or would be. */
export function showPushed(
  { descriptor, files }: ArtifactPlan,
  {
    reference,
    subject,
    dryRun,
  }: { readonly reference: string; readonly subject?: string; readonly dryRun: boolean },
  { print, printJson }: Pick<CommandContext, "print" | "printJson">,
): void {
  const rows = files.map(({ title, mediaType, size }) => [title, mediaType, formatSize(size)]);
  for (const line of formatColumns(rows)) print(`  ${line}`);
  print(
    `${reference.includes("@") ? reference : `${reference}  ${descriptor.digest}`}${dryRun ? "  (nothing was sent)" : ""}`,
  );
  printJson({
    reference,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    artifactType: descriptor.artifactType,
    ...(subject !== undefined && { subject }),
    files: files.map(({ title, mediaType, digest, size }) => ({ title, mediaType, digest, size })),
    dryRun,
  });
}
