// SPDX-License-Identifier: Apache-2.0
import type { UnpackedPackage } from "../package-file.ts";
import type { PackageTree } from "../package-tree.ts";
import { type AlternativeCall, parseAlternativeCalls } from "./alternative-call.ts";
import { alternativeLinks, bestChoice, groupEntryOf, installAlternatives } from "./alternative-group.ts";

/**
 * The calls of update-alternatives(1) that the postinsts would make, for programs that are there.
 */
export function readAlternatives(
  tree: PackageTree,
  packages: readonly UnpackedPackage[],
  note: (text: string) => void,
): readonly AlternativeCall[] {
  return packages.flatMap(({ name, metadata }) => {
    const { calls, unread } = parseAlternativeCalls(metadata.get("postinst")?.text ?? "");
    for (const text of unread) note(`package "${name}" has an alternative that cannot be read: ${text}`);
    return calls.filter((call) => tree.has(call.path));
  });
}

/** Writes the database of update-alternatives(1), and its links. */
export function addAlternatives(tree: PackageTree, calls: readonly AlternativeCall[]): void {
  for (const [name, own] of groupCalls(calls)) {
    const group = installAlternatives(name, undefined, own);
    const best = bestChoice(group);
    if (best === undefined) continue;
    tree.put(groupEntryOf(group));
    const links = alternativeLinks(group, best, {
      has: (path) => tree.has(path),
      isPlain: (path) => (tree.get(path) ?? { type: "symlink" }).type !== "symlink",
    });
    for (const link of links) tree.put(link);
  }
}

/** Calls by the name of their group. */
export function groupCalls(
  calls: readonly AlternativeCall[],
): ReadonlyMap<string, readonly AlternativeCall[]> {
  const groups = new Map<string, AlternativeCall[]>();
  for (const call of calls) groups.set(call.name, [...(groups.get(call.name) ?? []), call]);
  return groups;
}
