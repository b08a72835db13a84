// SPDX-License-Identifier: Apache-2.0
import type { CredentialName } from "../workspace/index.ts";
import type { SessionCopy, SessionMount, SessionNetwork } from "./session.ts";

/** What naming one credential adds to a session. */
export interface CredentialGrant {
  readonly name: CredentialName;
  readonly mounts: readonly SessionMount[];
  readonly copies: readonly SessionCopy[];
  /** Variables whose values may be seen, such as paths inside. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables whose values must not stand in any argv. */
  readonly secretEnv: Readonly<Record<string, string>>;
  /** Numbers of groups that may use what is mounted. Absent: the caller may. */
  readonly groups?: readonly number[] | undefined;
  /** What the credential needs of the network. Absent: nothing. */
  readonly network?: SessionNetwork | undefined;
  /** Commands that the credential calls, as kubeconfig's exec plugins do: they must be in the image. */
  readonly needs: readonly string[];
  /** One sentence each, fit for people: what will not work inside, and what to do about it. */
  readonly warnings: readonly string[];
}

/** A grant of nothing, to start from. */
export function emptyGrant(name: CredentialName): CredentialGrant {
  return { name, mounts: [], copies: [], env: {}, secretEnv: {}, needs: [], warnings: [] };
}
