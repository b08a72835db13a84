// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { parseReference, type Reference } from "../oci/index.ts";
import {
  openDockerCredentials,
  openRegistryRepository,
  type RegistryRepository,
} from "../registry/client/index.ts";
import type { CommandContext, CommandInput, CommandOption } from "./command.ts";
import { openDispatcher } from "./machine-network.ts";
import { listOption, textOption } from "./option-value.ts";

/** The option of commands that talk to registries. */
export const REGISTRY_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "plain-http": {
    type: "boolean",
    summary: "Talk to the registry without TLS; never needed for this machine",
  },
};

/** The options of commands that publish images of the workspace. */
export const PUBLISH_OPTIONS: Readonly<Record<string, CommandOption>> = {
  ...REGISTRY_OPTIONS,
  tag: { type: "string", multiple: true, value: "TAG", summary: "Default: latest; may be repeated" },
  to: { type: "string", value: "PREFIX", summary: "Registry and path instead of those in toolbox.yaml" },
};

/** The options of commands that talk to two registries. */
export const COPY_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "plain-http": {
    type: "boolean",
    summary: "Talk to both registries without TLS; never needed for this machine",
  },
  "src-plain-http": { type: "boolean", summary: "Talk to the registry that is read from without TLS" },
  "dst-plain-http": { type: "boolean", summary: "Talk to the registry that is written to without TLS" },
};

/** How the two ends of a copy are reached. */
export interface CopyAccess {
  readonly source: OpenRepositoryOptions;
  readonly target: OpenRepositoryOptions;
}

/** Reads {@link COPY_OPTIONS}. */
export function readCopyAccess(options: CommandInput["options"]): CopyAccess {
  const isPlain = (name: string): true | undefined =>
    options["plain-http"] === true || options[name] === true || undefined;
  return {
    source: { plainHttp: isPlain("src-plain-http") },
    target: { plainHttp: isPlain("dst-plain-http") },
  };
}

/** Optional parts of {@link openRepository}. */
export interface OpenRepositoryOptions {
  /** Absent: plain HTTP for this machine, TLS for all others. */
  readonly plainHttp?: boolean | undefined;
}

/** Reads {@link REGISTRY_OPTIONS}. */
export function readAccess(options: CommandInput["options"]): OpenRepositoryOptions {
  return { plainHttp: options["plain-http"] === true || undefined };
}

/** Where images of the workspace go. */
export interface PublishTarget {
  /** Registry and path; an image's name follows. */
  readonly prefix: string;
  readonly tags: readonly string[];
  readonly access: OpenRepositoryOptions;
}

/**
 * Reads {@link PUBLISH_OPTIONS}.
 *
 * @param registry what toolbox.yaml says
 * @throws {ToolingError} `COMMAND_USAGE`
 */
export function readPublishTarget(
  options: CommandInput["options"],
  registry: string | undefined,
): PublishTarget {
  const prefix = textOption(options, "to")?.replace(/\/+$/, "") ?? registry;
  if (prefix === undefined) {
    throw new ToolingError("COMMAND_USAGE", "it is not known where to publish to", {
      hint: "Write `registry:` into toolbox.yaml and run `toolbox lock`, or name it with --to.",
    });
  }
  return { prefix, tags: listOption(options, "tag") ?? ["latest"], access: readAccess(options) };
}

/**
 * What an image is called where it goes, once per tag.
 *
 * @throws {ToolingError} `REFERENCE_INVALID`
 */
export function nameReferences({ prefix, tags }: PublishTarget, image: string): readonly string[] {
  const references = tags.map((tag) => `${prefix}/${image}:${tag}`);
  references.forEach((reference) => parseReference(reference));
  return references;
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
