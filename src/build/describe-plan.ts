// SPDX-License-Identifier: Apache-2.0
import type { Platform } from "../core/platform.ts";
import { localImageName } from "../workspace/index.ts";
import type { BuildContext } from "./build-layer.ts";
import { readLayerRecord } from "./layer-record.ts";
import type { BuildPlan, PlannedLayer } from "./plan.ts";

/** One layer that a build would make or find. */
export interface PlannedLayerReport {
  readonly kind: "base" | "tool" | "top";
  readonly name: string;
  readonly tools: readonly { readonly name: string; readonly version: string }[];
  /** See `formatLayerKey`. Absent for the top layer, whose key is its content. */
  readonly key?: string;
  /** Whether it is in the store. Absent for the top layer, which is looked at when it is made. */
  readonly cached?: boolean;
}

/** A plan as `--dry-run` shows it. */
export interface PlanReport {
  readonly images: readonly {
    readonly name: string;
    readonly reference: string;
    readonly platforms: readonly {
      readonly platform: Platform;
      readonly layers: readonly PlannedLayerReport[];
    }[];
  }[];
}

/** Says what {@link BuildPlan} would do in this store, and changes nothing. */
export async function describePlan(
  plan: BuildPlan,
  { store, cacheDir }: Pick<BuildContext, "store" | "cacheDir">,
): Promise<PlanReport> {
  const known = new Map<string, Promise<boolean>>();
  const isCached = async ({ key }: PlannedLayer): Promise<boolean> => {
    const looked =
      known.get(key) ?? readLayerRecord(cacheDir, key, store).then((record) => record !== undefined);
    known.set(key, looked);
    return await looked;
  };
  const describe = async (layer: PlannedLayer): Promise<PlannedLayerReport> => ({
    kind: layer.kind,
    name: layer.name,
    tools: layer.tools.map((name) => ({ name, version: plan.lockfile.tools[name]?.version ?? "" })),
    key: layer.key,
    cached: await isCached(layer),
  });
  const images = plan.images.map(async ({ name, platforms }) => ({
    name,
    reference: localImageName(plan.lockfile.registry, name),
    platforms: await Promise.all(
      platforms.map(async ({ platform, layers }) => ({
        platform,
        layers: [
          ...(await Promise.all(layers.map(describe))),
          { kind: "top" as const, name: "top", tools: [] },
        ],
      })),
    ),
  }));
  return { images: await Promise.all(images) };
}
