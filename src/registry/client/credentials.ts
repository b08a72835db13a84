// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../../core/operation.ts";

/** What proves to a registry who is asking. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** Traded for access tokens at the token service of the registry. */
  | { readonly kind: "identity-token"; readonly token: string }
  /** Sent to the registry as it is. */
  | { readonly kind: "registry-token"; readonly token: string };

/**
 * Finds the credentials for a registry, by exact `host[:port]`. `docker.io` stands for Docker Hub.
 * Absent: nobody is logged in there.
 */
export type CredentialSource = (
  registry: string,
  options: OperationOptions & { readonly repository?: string },
) => Promise<Credentials | undefined>;

/** `Basic ...` (RFC 7617). */
export function formatBasic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
