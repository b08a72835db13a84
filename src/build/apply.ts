// SPDX-License-Identifier: Apache-2.0
import { forEachConcurrently } from "../core/concurrency.ts";
import { ToolingError } from "../core/error.ts";
import type { Descriptor } from "../oci/index.ts";
import { localImageName } from "../workspace/index.ts";
import { type AssembledPlatform, assemblePlatform, namedTools } from "./assemble-image.ts";
import { type BuildContext, buildLayer, type BuiltLayer } from "./build-layer.ts";
import type { MadeLayer } from "./check-image.ts";
import { formatImageIndex, type ImageDocument } from "./image-documents.ts";
import { formatImageLabels } from "./image-facts.ts";
import type { BuildPlan, PlannedImage, PlannedLayer, PlannedPlatform } from "./plan.ts";
import { type BuildReport, type ImageReport, reportPlatform } from "./report.ts";

/**
 * Makes all images of a plan. Layers are made once, several at a time; images become visible in the store at the
 * very end, so that after a failure or an abort nothing has moved, and the next run goes on from the layers.
 *
 * @throws {ToolingError} `BINARY_WRONG_PLATFORM`, `BINARY_WRONG_LIBC`, `PATH_CONFLICT`, `LAYER_LIMIT_EXCEEDED`,
 * and what sources and store throw
 */
export async function applyBuild(plan: BuildPlan, context: BuildContext): Promise<BuildReport> {
  const built = await buildLayers(plan, context);
  const finished: FinishedImage[] = [];
  for (const image of plan.images) finished.push(await assembleImage(image, built, plan, context));
  const images: ImageReport[] = [];
  for (const image of finished) images.push(await publishLocally(image, plan, context));
  return { images };
}

type BuiltLayers = ReadonlyMap<string, BuiltLayer>;

async function buildLayers(plan: BuildPlan, context: BuildContext): Promise<BuiltLayers> {
  const planned = new Map<string, PlannedLayer>();
  for (const image of plan.images) {
    for (const { layers } of image.platforms) for (const layer of layers) planned.set(layer.key, layer);
  }
  const built = new Map<string, BuiltLayer>();
  const { concurrency = 1, signal: caller } = context;
  const isImported = ({ kind }: PlannedLayer): boolean =>
    kind === "base" && plan.lockfile.base?.kind === "image";
  // What is only fetched and looked at leaves a core to the encoders, so it does not wait for its turn.
  const lanes = [
    [...planned.values()].filter((layer) => isImported(layer)),
    [...planned.values()].filter((layer) => !isImported(layer)),
  ];
  await forEachConcurrently(lanes, { limit: lanes.length, signal: caller }, async (lane, failure) => {
    await forEachConcurrently(lane, { limit: concurrency, signal: failure }, async (layer, signal) => {
      const made = await buildLayer(layer, plan, { ...context, signal });
      built.set(layer.key, made);
      context.onLayer?.(layer, made);
    });
  });
  return built;
}

interface FinishedImage {
  readonly name: string;
  readonly index: ImageDocument;
  readonly platforms: readonly AssembledPlatform[];
}

async function assembleImage(
  { name, platforms }: PlannedImage,
  built: BuiltLayers,
  plan: BuildPlan,
  context: BuildContext,
): Promise<FinishedImage> {
  const assembled: AssembledPlatform[] = [];
  for (const planned of platforms) {
    const [base, ...tools] = findLayers(planned, built);
    assembled.push(
      await assemblePlatform({ image: name, platform: planned.platform, base, tools }, plan, context),
    );
  }
  const labels = formatImageLabels(plan.lockfile, name, namedTools(name, plan));
  const manifests = assembled.map(({ manifest }): Descriptor => manifest.descriptor);
  return { name, index: formatImageIndex(manifests, labels), platforms: assembled };
}

function findLayers({ layers }: PlannedPlatform, built: BuiltLayers): readonly [MadeLayer, ...MadeLayer[]] {
  const [base, ...tools] = layers.map((layer): MadeLayer => {
    const found = built.get(layer.key);
    if (found === undefined) throw new TypeError(`layer "${layer.name}" was planned but not made`);
    return { layer, ...found };
  });
  if (base === undefined)
    throw new ToolingError("LOCK_INVALID", "image has no base", { hint: 'Run "toolbox lock".' });
  return [base, ...tools];
}

/** Children before parents, the name last. */
async function publishLocally(
  { name, index, platforms }: FinishedImage,
  { lockfile }: BuildPlan,
  { store, signal }: BuildContext,
): Promise<ImageReport> {
  const reference = localImageName(lockfile.registry, name);
  for (const { manifest } of platforms) {
    if (await store.hasManifest(manifest.descriptor, { signal })) continue;
    await store.putManifest(manifest.descriptor, manifest.bytes, { signal });
  }
  await store.putManifest(index.descriptor, index.bytes, { signal, tag: reference });
  return { name, reference, index: index.descriptor, platforms: platforms.map(reportPlatform) };
}
