// SPDX-License-Identifier: Apache-2.0
import { compareVersions, satisfiesRange } from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import { isDigest, isTag, parseReference } from "../oci/index.ts";

/** What an upgrade has to look up, and what toolbox.yaml says afterwards. */
export interface UpgradeWish {
  /** Tag or digest. */
  readonly wanted: string;
  /** The `use:` of toolbox.yaml once `digest` is pinned: as it was, unless it would not be true any more. */
  readonly referenceFor: (digest: string) => string;
  /** The file names a digest and nobody asked for another one: whatever is found, nothing moves. */
  readonly isHeld: boolean;
}

const RELEASE = /^v?(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)$/;
const VERSION = /^v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?$/;

/**
 * Reads what is to be looked up.
 *
 * @param reference `use:` as written.
 * @param to Tag or digest. Absent: the tag of the reference, `latest` when it has none.
 * @throws {ToolingError} `COMMAND_USAGE`, `REFERENCE_INVALID`
 */
export function readUpgradeWish(reference: string, to?: string): UpgradeWish {
  const { tag, digest } = parseReference(reference);
  if (to === undefined) {
    const wanted = tag ?? digest ?? "latest";
    return { wanted, referenceFor: () => reference, isHeld: digest !== undefined };
  }
  if (!isDigest(to) && !isTag(to)) {
    throw new ToolingError("COMMAND_USAGE", `"${to}" is neither a tag nor a digest`, {
      hint: "Write --to 1.4.2, or --to sha256:DIGEST.",
    });
  }
  const name = nameOf(reference);
  if (isDigest(to)) {
    const tagged = tag === undefined ? name : `${name}:${tag}`;
    const referenceFor = (): string => (digest === undefined ? reference : `${tagged}@${to}`);
    return { wanted: to, referenceFor, isHeld: false };
  }
  if (digest !== undefined) {
    return { wanted: to, referenceFor: (found) => `${name}:${to}@${found}`, isHeld: false };
  }
  const stays = tag === undefined || !VERSION.test(tag) || to === tag || satisfiesRange(to, tag);
  return { wanted: to, referenceFor: () => (stays ? reference : `${name}:${to}`), isHeld: false };
}

/** The release tags (`1.4.0`, `v1.4.0`) among `tags`, newest first. Pre-releases are none. */
export function selectReleases(tags: Iterable<string>): string[] {
  return [...tags].filter((tag) => RELEASE.test(tag)).toSorted(compareVersions);
}

/** Which releases may stand for what `tag` names or named: those of its range, and all for a tag that is no version. */
export function releasesOf(tag: string | undefined, releases: readonly string[]): readonly string[] {
  if (tag === undefined || !VERSION.test(tag)) return releases;
  return releases.filter((release) => satisfiesRange(release, tag));
}

/** Without tag and digest, as it is written. */
function nameOf(reference: string): string {
  const [tagged = ""] = reference.split("@");
  const colon = tagged.lastIndexOf(":");
  return colon > tagged.lastIndexOf("/") ? tagged.slice(0, colon) : tagged;
}
