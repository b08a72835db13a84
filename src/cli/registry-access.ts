// SPDX-License-Identifier: Apache-2.0
import { parseReference, type Reference } from "../oci/index.ts";
import {
  openDockerCredentials,
  openRegistryRepository,
  type RegistryRepository,
} from "../registry/client/index.ts";
import type { CommandContext, CommandOption } from "./command.ts";
import { openDispatcher } from "./machine-network.ts";

/** The option of commands that talk to registries. */
export const REGISTRY_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "plain-http": {
    type: "boolean",
    summary: "Talk to the registry without TLS; never needed for this machine",
  },
};

/** Optional parts of {@link openRepository}. */
export interface OpenRepositoryOptions {
  /** Absent: plain HTTP for this machine, TLS for all others. */
  readonly plainHttp?: boolean | undefined;
}

/**
 * Opens the repository of a reference, logged in as docker or podman are.
 *
 * @throws {ToolingError} `REFERENCE_INVALID`, `FILE_UNREADABLE`
 */
export async function openRepository(
  reference: string | Reference,
  { env, home, version, note }: Pick<CommandContext, "env" | "home" | "version" | "note">,
  { plainHttp }: OpenRepositoryOptions = {},
): Promise<RegistryRepository> {
  return openRegistryRepository(typeof reference === "string" ? parseReference(reference) : reference, {
    credentials: openDockerCredentials({ home, env }),
    dispatcher: await openDispatcher(env),
    userAgent: `toolbox/${version}`,
    plainHttp,
    onWarning: (text) => note(`registry: ${text}`),
  });
}

/** What of a reference is looked up: the digest, else the tag, else `latest`. */
export function wantedOf({ digest, tag }: Reference): string {
  return digest ?? tag ?? "latest";
}
