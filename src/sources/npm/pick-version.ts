// SPDX-License-Identifier: Apache-2.0
import semver from "semver";
import type { PackageSpec } from "./package-spec.ts";
import type { PackageManifest, Packument } from "./packument.ts";
import { fitsEngine, type TargetNode } from "./target-node.ts";

/**
 * The version that npm takes: what is tagged `latest` where it is in the range, runs with the target's Node.js and is
 * not deprecated; else the best of the range, where running counts more than not being deprecated, and both count more
 * than being new. Absent: none is in the range.
 */
export function pickVersion(
  { tags, versions }: Packument,
  spec: PackageSpec,
  target: TargetNode,
): PackageManifest | undefined {
  if (spec.kind === "foreign") return undefined;
  if (spec.kind === "tag") {
    return versions.find(({ version }) => version === ownMember(tags, spec.wanted));
  }
  const isIn = ({ version }: PackageManifest): boolean =>
    semver.satisfies(version, spec.wanted, { loose: true });
  const latest = versions.find(({ version }) => version === ownMember(tags, "latest"));
  if (latest !== undefined && (spec.wanted === "*" || isIn(latest)) && rankOf(latest, target) === 0) {
    return latest;
  }
  const [best, ...others] = versions.filter(isIn);
  // The list is newest first, so that of equals the first one stays.
  return best && others.reduce((a, b) => (rankOf(b, target) < rankOf(a, target) ? b : a), best);
}

/** 0: runs and is not deprecated; 1: runs; 2: is not deprecated; 3: neither. */
function rankOf(manifest: PackageManifest, target: TargetNode): number {
  return (fitsEngine(manifest, target) ? 0 : 2) + (manifest.isDeprecated ? 1 : 0);
}

function ownMember(record: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
