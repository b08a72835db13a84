// SPDX-License-Identifier: Apache-2.0
import type { CredentialGrant } from "./credential-grant.ts";

/** What is known of the image that a session runs in, and of the others of its workspace. */
export interface ImagePrograms {
  /** Name of the image in the workspace. */
  readonly image: string;
  /** The tools of each image of the workspace, by the image's name. */
  readonly images: Readonly<Record<string, { readonly tools: readonly string[] }>>;
  /** Programs by name, each with the tool that brings it. */
  readonly binaries: ReadonlyMap<string, string>;
}

/**
 * One sentence for each program that a credential calls and that no tool of the image brings, such as an exec plugin of
 * kubeconfig. The base may have it all the same, so this is something to say and nothing to stop for.
 */
export function describeMissingNeeds(
  grants: readonly CredentialGrant[],
  { image, images, binaries }: ImagePrograms,
): string[] {
  const offered = new Set(images[image]?.tools);
  return grants.flatMap(({ name, needs }) =>
    needs
      .filter((program) => !offered.has(binaries.get(program) ?? ""))
      .map((program) => {
        const cure = describeCure(program, images, binaries.get(program));
        return `${name} signs in with "${program}", which no tool of image "${image}" brings; ${cure}`;
      }),
  );
}

function describeCure(program: string, images: ImagePrograms["images"], tool: string | undefined): string {
  if (tool === undefined) return `add the tool that has "${program}" to the image`;
  const others = Object.keys(images).filter((name) => images[name]?.tools.includes(tool) === true);
  return others.length === 0
    ? `add the tool "${tool}" to the image`
    : `use --image ${others[0] ?? ""}, which has it`;
}
