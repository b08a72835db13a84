// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { Lockfile, PullBudget } from "../workspace/index.ts";
import type { BuildReport, ImageReport, LayerReport, PlatformReport } from "./report.ts";

/** What one platform of an image weighs. All sizes are bytes. */
export interface ImageSize {
  /** What a pull moves where nothing is there yet: the compressed layers. */
  readonly size: number;
  /** What the layers hold, as tar. */
  readonly uncompressedSize: number;
  /** What a holder of the image that this one extends pulls. Absent: it extends none. */
  readonly overParent?: { readonly image: string; readonly size: number } | undefined;
}

/** Adds up the layers of one platform. */
export function measureImage(
  { name }: Pick<ImageReport, "name">,
  { layers }: PlatformReport,
  { images }: Pick<Lockfile, "images">,
): ImageSize {
  const parent = images[name]?.extends;
  const sizes = {
    size: sum(layers, ({ size }) => size),
    uncompressedSize: sum(layers, ({ uncompressedSize }) => uncompressedSize),
  };
  if (parent === undefined) return sizes;
  // The parent's layers come first and are the same, but for its top.
  const held = new Set(images[parent]?.tools);
  const added = layers.filter(
    ({ kind, tools }) => kind === "top" || (kind === "tool" && !tools.every((tool) => held.has(tool))),
  );
  return { ...sizes, overParent: { image: parent, size: sum(added, ({ size }) => size) } };
}

/**
 * Refuses images that weigh more than they may.
 *
 * @param budgets By the name of the image.
 * @throws {ToolingError} `BUDGET_EXCEEDED`, at the place of the first such budget; it names the largest layers
 */
export function checkBudgets({ images }: BuildReport, budgets: ReadonlyMap<string, PullBudget>): void {
  for (const { name, platforms } of images) {
    const budget = budgets.get(name);
    if (budget === undefined) continue;
    for (const { platform, layers } of platforms) {
      const size = sum(layers, (layer) => layer.size);
      if (size <= budget.size) continue;
      const largest = layers
        .toSorted((a, b) => b.size - a.size)
        .slice(0, 3)
        .map((layer) => `${layer.name} ${formatWeight(layer.size)}`);
      throw new ToolingError(
        "BUDGET_EXCEEDED",
        `image "${name}" for ${platform} weighs ${formatWeight(size)} to pull, and may weigh ${formatWeight(budget.size)}`,
        {
          hint: `Its largest layers are ${largest.join(", ")}: make one smaller, or raise the budget.`,
          position: budget.position,
        },
      );
    }
  }
}

function sum(layers: readonly LayerReport[], sizeOf: (layer: LayerReport) => number): number {
  return layers.reduce((total, layer) => total + sizeOf(layer), 0);
}

/** Exact enough to see by how much a budget is passed. */
function formatWeight(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(2)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}
