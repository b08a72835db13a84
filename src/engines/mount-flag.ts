// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { SessionMount } from "../session/index.ts";

/**
 * A bind mount as docker's and nerdctl's `--mount` reads it: one CSV record, so that commas, colons and quotes are safe.
 *
 * @throws {ToolingError} `MOUNT_REFUSED` for a line break, which no CSV field of theirs carries unharmed.
 */
export function formatMountRecord({ source, target, readOnly }: SessionMount): string[] {
  refuseLineBreaks(source, target);
  const fields = ["type=bind", `source=${source}`, `target=${target}`, ...(readOnly ? ["readonly"] : [])];
  return ["--mount", fields.map(quoteField).join(",")];
}

/**
 * A bind mount for podman, whose older versions split `--mount` at every comma and `--volume` at every colon.
 *
 * @throws {ToolingError} `MOUNT_REFUSED` when a path has both, or a line break.
 */
export function formatPodmanMount({ source, target, readOnly }: SessionMount): string[] {
  refuseLineBreaks(source, target);
  const paths = `${source}${target}`;
  if (!paths.includes(",") && !paths.includes('"')) {
    return [
      "--mount",
      ["type=bind", `source=${source}`, `target=${target}`, ...(readOnly ? ["ro=true"] : [])].join(","),
    ];
  }
  if (!paths.includes(":")) return ["--volume", `${source}:${target}:${readOnly ? "ro" : "rw"}`];
  throw new ToolingError(
    "MOUNT_REFUSED",
    `podman cannot mount "${source}": its path holds both a colon and a comma`,
    {
      hint: "Rename the folder, or choose another engine with --engine.",
    },
  );
}

function quoteField(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

function refuseLineBreaks(...paths: readonly string[]): void {
  for (const path of paths) {
    if (!/[\r\n\0]/.test(path)) continue;
    throw new ToolingError(
      "MOUNT_REFUSED",
      `${JSON.stringify(path)} cannot be mounted: its name holds a line break`,
      {
        hint: "Rename the folder.",
      },
    );
  }
}
