// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { OperationOptions } from "../core/operation.ts";
import type { ExecStep, LockedPackage } from "../catalog/index.ts";
import type { Platform } from "../core/platform.ts";
import type { CompileModulesOptions } from "../python/index.ts";
import type { Compression, Lockfile } from "../workspace/index.ts";
import { importBaseImage } from "./base-image.ts";
import { type OwnedFiles, readToolFiles } from "./layer-files.ts";
import { LayerObserver } from "./layer-observer.ts";
import { createLayerRecord, type LayerRecord, readLayerRecord, writeLayerRecord } from "./layer-record.ts";
import type { LayerSources } from "./layer-sources.ts";
import { type LayerStore, writeLayer } from "./layer-writer.ts";
import { type PlannedLayer, planLayerFor } from "./plan.ts";
import { addCompiledModules } from "./python-modules.ts";
import { linkEqualFiles } from "./equal-files.ts";
import { runExecSteps } from "./exec-steps.ts";
import type { StepRunner } from "./step-runner.ts";
import { isCaptured } from "./top-layer.ts";

/** Where a build reads and writes. */
export interface BuildContext extends OperationOptions {
  readonly store: LayerStore;
  /** The product's cache folder, absolute; records of layers stand in `layers/` below it. */
  readonly cacheDir: string;
  readonly sources: LayerSources;
  /** The environment of the caller, from which the compiler of Python modules takes where libraries are, and nothing else. */
  readonly env?: CompileModulesOptions["env"];
  /** Runs the steps of tools that have some. Absent: such tools cannot be built. */
  readonly runner?: StepRunner | undefined;
  /**
   * Layers made at once. Absent: 1, because one layer already decodes and compresses on all cores, and a second at
   * the same time was no faster and cost 40 MB.
   */
  readonly concurrency?: number | undefined;
  /** Called synchronously as soon as a layer is in the store; must not throw. */
  readonly onLayer?: ((layer: PlannedLayer, built: BuiltLayer) => void) | undefined;
}

/** A layer that is in the store now. */
export interface BuiltLayer {
  readonly record: LayerRecord;
  /** It was there before. */
  readonly cached: boolean;
}

/** What a plan says that every layer needs. */
export interface LayerRecipe {
  readonly lockfile: Lockfile;
  readonly compression: Compression;
}

/**
 * Makes one planned layer, or finds it made.
 *
 * @throws {ToolingError} `BINARY_WRONG_PLATFORM`, `PATH_CONFLICT`, and what the sources and the store throw
 */
export async function buildLayer(
  layer: PlannedLayer,
  recipe: LayerRecipe,
  context: BuildContext,
): Promise<BuiltLayer> {
  const { store, cacheDir, onProgress } = context;
  const found = await readLayerRecord(cacheDir, layer.key, store);
  if (found !== undefined) {
    onProgress?.({ type: "finished", what: describeLayer(layer), skipped: true });
    return { record: found, cached: true };
  }
  const record =
    layer.kind === "base" ? await makeBase(layer, recipe, context) : await makeTool(layer, recipe, context);
  await writeLayerRecord(cacheDir, record);
  return { record, cached: false };
}

/** Names a layer for people: `layer helm linux/arm64`. */
export function describeLayer({ name, platform }: Pick<PlannedLayer, "name" | "platform">): string {
  return `layer ${name} ${platform}`;
}

async function makeTool(
  layer: PlannedLayer,
  recipe: LayerRecipe,
  context: BuildContext,
): Promise<LayerRecord> {
  const { signal, onProgress } = context;
  const readFiles = async (planned: PlannedLayer): Promise<OwnedFiles> =>
    await readToolFiles(planned, recipe.lockfile, context.sources, { signal, onProgress });
  const buildBase = async (platform: Platform): Promise<LayerRecord> =>
    (await buildLayer(planLayerFor(platform, [], recipe), recipe, context)).record;
  const files = await readFiles(layer);
  try {
    const finished = await runExecSteps(layer, files, listSteps(layer, recipe.lockfile), {
      ...context,
      readFiles,
      planFor: (platform) => planLayerFor(platform, layer.tools, recipe),
      buildBase,
    });
    const compiled = await addCompiledModules(
      finished,
      // What lays no packages on a base is the same over any base.
      async () => (files.packages.length === 0 ? [] : Object.keys((await buildBase(layer.platform)).files)),
      compilation(layer, context),
    );
    return await packFiles(layer, compiled, recipe, context);
  } finally {
    await files.dispose?.();
  }
}

function listSteps({ tools, platform }: PlannedLayer, { tools: locked }: Lockfile): readonly ExecStep[] {
  return tools.flatMap((name) => {
    const entry = locked[name]?.platforms[platform];
    return entry?.source === "debian" ? (entry.exec ?? []) : [];
  });
}

async function makeBase(
  layer: PlannedLayer,
  recipe: LayerRecipe,
  context: BuildContext,
): Promise<LayerRecord> {
  const { signal, onProgress, sources, store } = context;
  const { base } = recipe.lockfile;
  if (base?.kind === "image") {
    const digest = base.platforms[layer.platform] ?? base.digest;
    const source = await sources.openImage(base.reference, { signal, onProgress });
    const what = describeLayer(layer);
    onProgress?.({ type: "started", what });
    const options = { signal, capture: isCaptured };
    const image = await importBaseImage(source, digest, layer.platform, store, options);
    onProgress?.({ type: "finished", what, skipped: false });
    return createLayerRecord({ key: layer.key, packages: [], ...image });
  }
  const packages: readonly LockedPackage[] = base?.platforms[layer.platform] ?? [];
  const files = await sources.readBase(packages, layer.platform, { signal, onProgress });
  try {
    // What python3-minimal alone brings serves scripts of packages; tools need all of Python.
    const hasPython = packages.some(({ name }) => name === "python3");
    const finished = hasPython
      ? await addCompiledModules(files, async () => [], compilation(layer, context))
      : files;
    return await packFiles(layer, { ...finished, ownerOf: () => "the base" }, recipe, context);
  } finally {
    await files.dispose?.();
  }
}

function compilation(
  { name, platform }: PlannedLayer,
  { cacheDir, env, signal, onProgress }: BuildContext,
): CompileModulesOptions {
  const what = `Python modules of ${name} ${platform}`;
  return { cacheDir: join(cacheDir, "python"), what, env, signal, onProgress };
}

/** What the record of a base leaves out, it would only take time to read: nobody asks for its digests. */
async function packFiles(
  layer: PlannedLayer,
  { entries, packages, claims, ownerOf }: OwnedFiles,
  { compression }: LayerRecipe,
  { store, signal, onProgress }: BuildContext,
): Promise<LayerRecord> {
  const isBase = layer.kind === "base";
  const observer = new LayerObserver({
    platform: layer.platform,
    ownerOf,
    ...(isBase && { capture: isCaptured, fingerprints: false }),
  });
  const what = describeLayer(layer);
  const options = { compression, what, signal, onProgress };
  const blob = await writeLayer(observer.observe(await linkEqualFiles(entries, signal)), store, options);
  return createLayerRecord({ key: layer.key, blobs: [blob], packages, claims, ...observer.finish() });
}
