// SPDX-License-Identifier: Apache-2.0
/**
 * From lock to images: plan (pure), layers, top layer, config, manifests, index; what an image says about itself.
 * Knows what a layer is made from and what has to be the same on every host. Knows nothing of networks, engines,
 * registries or the command line: files come from sources, content goes to a store.
 */
export { applyBuild } from "./apply.ts";
export type { BuildContext, BuiltLayer } from "./build-layer.ts";
export { createLayerSources, type LayerSourcesOptions } from "./create-layer-sources.ts";
export { describePlan, type PlannedLayerReport, type PlanReport } from "./describe-plan.ts";
export { digestImageLock, IMAGE_LABELS, layerNameOf } from "./image-facts.ts";
export { checkBudgets, type ImageSize, measureImage } from "./image-size.ts";
export type { LayerFiles, LayerSources } from "./layer-sources.ts";
export type { LayerStore } from "./layer-writer.ts";
export type { StepRunner, StepSession } from "./step-runner.ts";
export {
  type BuildPlan,
  planBuild,
  type PlanBuildOptions,
  type PlannedImage,
  type PlannedLayer,
  type PlannedPlatform,
} from "./plan.ts";
export type { BuildReport, ImageReport, LayerReport, PlatformReport } from "./report.ts";
export { type ImageTarget, parseImageTarget, writeImage, type WriteImageOptions } from "./write-image.ts";
