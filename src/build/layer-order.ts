// SPDX-License-Identifier: Apache-2.0
import type { LockedTool } from "../catalog/index.ts";

/** A tool of an image, as the lock names it. */
export interface NamedTool {
  readonly name: string;
  readonly tool: LockedTool;
}

/** The tools of one layer: one as a rule, several where small tools share. Never empty. */
export type LayerGroup = readonly NamedTool[];

/**
 * Puts `tools` into at most `limit` layers, least recently changed first and ties by name, so that a bump
 * disturbs as few layers as possible. When there are too many, the smallest share one layer.
 */
export function groupTools(tools: readonly NamedTool[], limit: number): readonly LayerGroup[] {
  const bySize = tools.length > limit ? tools.toSorted(compareSizes) : [];
  const shared = bySize.slice(0, tools.length > limit ? tools.length - limit + 1 : 0);
  const sharing = new Set(shared.map(({ name }) => name));
  const alone = tools.filter(({ name }) => !sharing.has(name)).map((tool): LayerGroup => [tool]);
  const groups = shared.length > 0 ? [...alone, shared.toSorted(compareNames)] : alone;
  return groups
    .map((group) => ({ group, changed: lastChange(group), name: group[0]?.name ?? "" }))
    .sort((a, b) => compareText(a.changed, b.changed) || compareText(a.name, b.name))
    .map(({ group }) => group);
}

/** Orders by code unit, the only order that is the same in every locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareNames(a: NamedTool, b: NamedTool): number {
  return compareText(a.name, b.name);
}

function lastChange(group: LayerGroup): string {
  return group.reduce((latest, { tool }) => (tool.changed > latest ? tool.changed : latest), "");
}

function compareSizes(a: NamedTool, b: NamedTool): number {
  return lockedSize(a.tool) - lockedSize(b.tool) || compareNames(a, b);
}

/**
 * Bytes that the lock knows of, over all platforms, so that both platforms group alike. What is compiled here
 * has no size yet and counts as large: its layer is worth having alone.
 */
function lockedSize({ platforms }: LockedTool): number {
  let size = 0;
  for (const entry of Object.values(platforms)) {
    if ("packages" in entry) size += entry.packages.reduce((sum, item) => sum + item.size, 0);
    if ("wheels" in entry) size += entry.wheels.reduce((sum, item) => sum + item.size, 0);
    if ("file" in entry) size += entry.file.size;
    if (entry.source === "go" || entry.source === "image") return Number.MAX_SAFE_INTEGER;
  }
  return size;
}
