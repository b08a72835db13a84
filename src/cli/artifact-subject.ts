// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, identityOf, type Reference } from "../oci/index.ts";
import type { RegistryRepository } from "../registry/client/index.ts";
import type { CommandContext, CommandInput } from "./command.ts";
import { choosePlatform } from "./open-place.ts";
import { platformOption } from "./option-value.ts";
import { openRepository, readAccess, wantedOf } from "./registry-access.ts";

/** What artifacts are about. */
export interface ArtifactSubject {
  readonly source: RegistryRepository;
  /** The image, or with `--platform` the manifest of an index. */
  readonly subject: Descriptor;
}

/**
 * Finds the subject of artifacts by the name of an image and `--platform`.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `PLATFORM_UNAVAILABLE`, and what the registry throws
 */
export async function openSubject(
  reference: Reference,
  options: CommandInput["options"],
  context: CommandContext,
): Promise<ArtifactSubject> {
  const source = await openRepository(reference, context, readAccess(options));
  const { signal } = context;
  const root = identityOf(await source.resolveManifest(wantedOf(reference), { signal }));
  return { source, subject: await choosePlatform({ source, root }, platformOption(options), context) };
}
