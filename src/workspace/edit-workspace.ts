// SPDX-License-Identifier: Apache-2.0
import type { Platform } from "../core/platform.ts";

/** Optional parts of {@link addTool}. */
export interface AddToolOptions {
  /** Wished versions. Absent: any. */
  readonly range?: string | undefined;
  /** The image to add it to. Absent: the only or the first one; none when the file has no images. */
  readonly image?: string | undefined;
}

/**
 * Adds a wish (or changes its range) in the text of toolbox.yaml and puts the tool into an image.
 * Comments, order and formatting of everything else stay. `file` is only used in messages.
 *
 * @throws {ToolingError} `WORKSPACE_INVALID`
 */
export async function addTool(
  text: string,
  file: string,
  name: string,
  { range = "*", image }: AddToolOptions = {},
): Promise<string> {
  const { editTools } = await import("./edit-tools.ts");
  return editTools(text, file, { name, range, image });
}

/**
 * Writes another image reference into `use:` of the text of toolbox.yaml. Comments, quotes and everything else stay.
 * `file` is only used in messages.
 *
 * @throws {ToolingError} `WORKSPACE_INVALID` when there is no `use:` that could be changed
 */
export async function setUse(text: string, file: string, reference: string): Promise<string> {
  const { editUse } = await import("./edit-use.ts");
  return editUse(text, file, reference);
}

/** What a new toolbox.yaml starts with. */
export interface NewWorkspaceOptions {
  /** Name of the one image. */
  readonly image: string;
  /** Tools to put in. */
  readonly tools: readonly string[];
  /** Registry and path to publish below. Absent: left as a comment. */
  readonly registry?: string | undefined;
  readonly platforms?: readonly Platform[] | undefined;
  /** Address or path of the JSON Schema, for editors. */
  readonly schema: string;
}

/** The text of a new toolbox.yaml, with comments that explain each part. */
export function newWorkspaceText({ image, tools, registry, platforms, schema }: NewWorkspaceOptions): string {
  const list = (platforms ?? ["linux/amd64", "linux/arm64"]).join(", ");
  return `# yaml-language-server: $schema=${schema}
# What this team wants on its command line. \`toolbox lock\` writes the exact answers to toolbox.lock; commit both.
${registry === undefined ? "# registry: registry.example.com/team   # where `toolbox publish` pushes" : `registry: ${registry}`}
platforms: [${list}]
base:
  debian: trixie
  packages: [bash, ca-certificates, curl, git, less, libnss-unknown, openssh-client, vim-tiny]
tools: # version ranges, always in quotes: "1.34", "^3.19", "*"
${tools.map((tool) => `  ${tool}: "*"\n`).join("")}images:
  ${image}: { tools: [${tools.join(", ")}] }
session:
  credentials: [kubeconfig] # what a command may read of yours; nothing else is passed in
`;
}
