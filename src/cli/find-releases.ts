// SPDX-License-Identifier: Apache-2.0
import { forEachConcurrently } from "../core/concurrency.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import type { RegistryRepository } from "../registry/client/index.ts";
import { releasesOf, selectReleases } from "./upgrade-wish.ts";

/** Tags that are listed, and releases that are looked up, before it is left at what is known. */
const MOST_TAGS = 10_000;
const MOST_RELEASES = 32;
const LOOKUPS_AT_ONCE = 4;

/** Release tags around an upgrade. */
export interface FoundReleases {
  /** The newest one with the digest that is pinned. Absent: none has it, or none was found to have it. */
  readonly from?: string | undefined;
  /** The same for what was looked up. */
  readonly to?: string | undefined;
  /** Releases after `from` up to `to`. Absent: not known, or it goes back. */
  readonly between?: number | undefined;
  /** Above `to`, newest first. Empty when `to` is absent. */
  readonly newer: readonly string[];
}

/** Two digests that releases are looked for. */
export interface ReleaseQuestion {
  /** Tag or digest that was looked up. */
  readonly wanted: string;
  readonly root: Descriptor;
  readonly pinned: string;
}

/**
 * Which release tags stand for the two digests. Asks for the newest first, because that is where an image that is in
 * use mostly is, and leaves it at what is known when it is not.
 *
 * @throws {ToolingError} what the registry throws, except that it refuses to list tags
 */
export async function findReleases(
  repository: RegistryRepository,
  { wanted, root, pinned }: ReleaseQuestion,
  options: OperationOptions,
): Promise<FoundReleases> {
  const releases = selectReleases(await listTags(repository, options));
  const digests = new Map<string, Digest | undefined>([[wanted, root.digest]]);
  const tagOf = (digest: string): string | undefined =>
    releases.find((release) => digests.get(release) === digest);
  const near = [...new Set([...releasesOf(wanted, releases), ...releases])].slice(0, MOST_RELEASES);
  for (let start = 0; start < near.length; start += LOOKUPS_AT_ONCE) {
    if (tagOf(pinned) !== undefined && tagOf(root.digest) !== undefined) break;
    const some = near.slice(start, start + LOOKUPS_AT_ONCE).filter((release) => !digests.has(release));
    const { signal } = options;
    await forEachConcurrently(some, { limit: LOOKUPS_AT_ONCE, signal }, async (release, signal) => {
      digests.set(release, await digestOfTag(repository, release, { signal }));
    });
  }
  const [from, to] = [tagOf(pinned), tagOf(root.digest)];
  const steps = from === undefined || to === undefined ? -1 : releases.indexOf(from) - releases.indexOf(to);
  const newer = to === undefined ? [] : releases.slice(0, releases.indexOf(to));
  return { from, to, newer, between: steps < 0 ? undefined : steps };
}

/** A registry may forbid to list tags; then nothing is known of releases, and everything else still is. */
async function listTags(repository: RegistryRepository, options: OperationOptions): Promise<string[]> {
  const tags: string[] = [];
  try {
    for await (const tag of repository.listTags(options)) {
      tags.push(tag);
      if (tags.length >= MOST_TAGS) break;
    }
  } catch (error) {
    const refusals = ["AUTH_DENIED", "AUTH_REQUIRED", "IMAGE_NOT_FOUND", "REGISTRY_FAILED"];
    if (!(error instanceof ToolingError) || !refusals.includes(error.code)) throw error;
  }
  return tags;
}

/** A tag that was deleted between list and look-up stands for nothing. */
async function digestOfTag(
  repository: RegistryRepository,
  tag: string,
  options: OperationOptions,
): Promise<Digest | undefined> {
  try {
    return (await repository.resolveManifest(tag, options)).digest;
  } catch (error) {
    if (error instanceof ToolingError && error.code === "IMAGE_NOT_FOUND") return undefined;
    throw error;
  }
}
