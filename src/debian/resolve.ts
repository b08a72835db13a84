// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { suggestName } from "../core/suggestion.ts";
import { PackageSelection } from "./package-selection.ts";
import type { InstalledPackage, PackageIndex, PackageRecord } from "./package-index.ts";

/** Optional parts of {@link resolveClosure}. */
export interface ResolveClosureOptions {
  /** Take all Essential packages too, as a base does. Absent: no. */
  readonly essential?: boolean;
  /** What is there already: it satisfies dependencies, is never changed and never repeated. Absent: nothing. */
  readonly installed?: readonly InstalledPackage[];
}

/**
 * The packages that `wanted` (each `name` or `name=version`) needs, itself included, sorted by name: Pre-Depends and
 * Depends, no Recommends. The first alternative that can be had is taken; a real package before its providers,
 * a provider of higher Priority before others; the highest version of a name (policy 7).
 *
 * @throws {ToolingError} `DEBIAN_DEPENDENCY_UNMET` with the chain that leads there, `VERSION_NOT_FOUND` for a wish that is not in the index.
 */
export function resolveClosure(
  index: PackageIndex,
  wanted: readonly string[],
  { essential = false, installed = [] }: ResolveClosureOptions = {},
): readonly PackageRecord[] {
  const selection = new PackageSelection(index, installed);
  const wishes = wanted.map((wish) => findWish(index, wish, selection));
  const roots = [...wishes, ...(essential ? listEssential(index) : [])].filter(
    (record): record is PackageRecord =>
      record !== undefined && selection.versionOf(record.name) !== record.version,
  );
  // All wishes come first, so that none is served by a provider or version that another wish contradicts.
  for (const root of roots) selection.addAlone(root);
  for (const root of roots) selection.addDependencies(root);
  return selection.listAdded().toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function listEssential(index: PackageIndex): readonly PackageRecord[] {
  return [...index.records.values()].flatMap(([newest]) => (newest?.essential === true ? [newest] : []));
}

/** The record of a wish; absent when it is there already. */
function findWish(index: PackageIndex, wish: string, selection: PackageSelection): PackageRecord | undefined {
  const [name = "", version] = wish.split("=", 2);
  const present = selection.versionOf(name);
  if (present !== undefined && (version === undefined || version === present)) return undefined;
  const versions = index.records.get(name);
  if (versions === undefined) return findOnlyProvider(index, name, selection);
  const record =
    version === undefined ? versions[0] : versions.find((candidate) => candidate.version === version);
  if (record !== undefined) return record;
  throw new ToolingError("VERSION_NOT_FOUND", `package "${name}" has no version "${version}"`, {
    hint: `Take one of: ${versions.map((candidate) => candidate.version).join(", ")}.`,
  });
}

function findOnlyProvider(
  index: PackageIndex,
  name: string,
  selection: PackageSelection,
): PackageRecord | undefined {
  const providers = (index.provisions.get(name) ?? []).map(({ provider }) => provider);
  if (providers.some((provider) => selection.has(provider.name))) return undefined;
  if (providers.length === 1) return providers[0];
  if (providers.length > 1) {
    throw new ToolingError("DEBIAN_DEPENDENCY_UNMET", `"${name}" is a virtual package`, {
      hint: `Name one of its providers: ${providers.map((provider) => provider.name).join(", ")}.`,
    });
  }
  const near = suggestName(name, index.records.keys());
  throw new ToolingError("VERSION_NOT_FOUND", `package "${name}" is in no suite that was searched`, {
    hint: near === undefined ? "Check the name and the suite." : `Did you mean "${near}"?`,
  });
}
