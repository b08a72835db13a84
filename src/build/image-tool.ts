// SPDX-License-Identifier: Apache-2.0
import type { LockedTool } from "../catalog/index.ts";
import type { NamedTool } from "./layer-order.ts";

/** A tool as the inside of an image tells about it. */
export interface ImageTool {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  /** Absent: it has none. */
  readonly homepage?: string | undefined;
  readonly license: string;
  /** Names of its commands. */
  readonly binaries: readonly string[];
  readonly examples: readonly { readonly command: string; readonly description: string }[];
  /** The argument vector that prints the tool's own completion for bash. Absent when it has none. */
  readonly bashCompletion?: readonly string[];
}

/** What the lock says about a tool, in the words that the image shows. */
export function describeTool({ name, tool }: NamedTool): ImageTool {
  const { about, version } = tool;
  const bash: LockedTool["about"]["completions"] = about.completions;
  return {
    name,
    version,
    summary: about.summary,
    homepage: about.homepage,
    license: about.license,
    binaries: about.binaries,
    examples: about.examples,
    ...(bash?.bash === undefined ? {} : { bashCompletion: bash.bash }),
  };
}
