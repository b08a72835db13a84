// SPDX-License-Identifier: Apache-2.0
import type { CredentialGrant } from "./credential-grant.ts";
import type { SessionNetwork } from "./session.ts";

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

/**
 * One sentence for each credential that only works on the host's network, when the session names another one.
 *
 * @param network What the session names. Absent: nothing, and the credential has its way.
 */
export function describeUnreachable(
  grants: readonly CredentialGrant[],
  network: SessionNetwork | undefined,
): string[] {
  if (network === undefined || network === "host") return [];
  return grants
    .filter((grant) => grant.network === "host")
    .map(
      ({ name }) =>
        `${name} names a server on this machine, which network "${network}" does not reach; set it to "host"`,
    );
}

function describeCure(program: string, images: ImagePrograms["images"], tool: string | undefined): string {
  if (tool === undefined) return `add the tool that has "${program}" to the image`;
  const others = Object.keys(images).filter((name) => images[name]?.tools.includes(tool) === true);
  return others.length === 0
    ? `add the tool "${tool}" to the image`
    : `use --image ${others[0] ?? ""}, which has it`;
}
