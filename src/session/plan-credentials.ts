// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { suggestName } from "../core/suggestion.ts";
import { CREDENTIAL_NAMES, type CredentialName } from "../workspace/index.ts";
import type { CredentialGrant } from "./credential-grant.ts";
import type { CredentialHost } from "./credential-host.ts";
import { grantFiles } from "./grant-files.ts";

/**
 * The grants for the credentials that a session names, in that order. Reads the files that they name, runs nothing.
 *
 * @throws {ToolingError} `CREDENTIALS_INVALID` for an unknown name or a file that is not what it should be
 */
export async function planCredentials(
  names: readonly string[],
  host: CredentialHost,
): Promise<CredentialGrant[]> {
  const grants: CredentialGrant[] = [];
  for (const text of new Set(names)) {
    const name = parseCredentialName(text);
    grants.push(await (name === "kubeconfig" ? grantCluster(host) : grantFiles(name, host)));
  }
  return grants;
}

/** The YAML library takes longer to load than all the rest, so only who names a kubeconfig waits for it. */
async function grantCluster(host: CredentialHost): Promise<CredentialGrant> {
  const { grantKubeconfig } = await import("./grant-kubeconfig.ts");
  return await grantKubeconfig(host);
}

function parseCredentialName(text: string): CredentialName {
  const name = CREDENTIAL_NAMES.find((one) => one === text);
  if (name !== undefined) return name;
  const near = suggestName(text, CREDENTIAL_NAMES);
  const hint = near === undefined ? `Use one of: ${CREDENTIAL_NAMES.join(", ")}.` : `Did you mean "${near}"?`;
  throw new ToolingError("CREDENTIALS_INVALID", `"${text}" is not a credential that a session can name`, {
    hint,
  });
}
