// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { ArchiveEntry } from "../archive/index.ts";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import type { Platform } from "../core/platform.ts";
import type { Descriptor } from "../oci/index.ts";
import { type BuildContext, type BuiltLayer, describeLayer, type LayerRecipe } from "./build-layer.ts";
import { checkImage, type MadeLayer } from "./check-image.ts";
import {
  formatImageConfig,
  formatImageManifest,
  type ImageDocument,
  type NamedBlob,
} from "./image-documents.ts";
import { formatImageLabels } from "./image-facts.ts";
import { formatLayerKey } from "./layer-key.ts";
import { LayerObserver } from "./layer-observer.ts";
import type { NamedTool } from "./layer-order.ts";
import { createLayerRecord, type LayerRecord, readLayerRecord, writeLayerRecord } from "./layer-record.ts";
import { writeLayer } from "./layer-writer.ts";
import { createTopLayer } from "./top-layer.ts";

/** One platform of an image whose base and tools are made. */
export interface PlatformParts {
  readonly image: string;
  readonly platform: Platform;
  readonly base: MadeLayer;
  readonly tools: readonly MadeLayer[];
}

/** One platform of an image: all its blobs are in the store, its manifest is not yet. */
export interface AssembledPlatform extends PlatformParts {
  readonly top: BuiltLayer;
  readonly config: Descriptor;
  readonly manifest: ImageDocument;
}

/**
 * Checks the layers of one platform against each other, makes its top layer, config and manifest.
 *
 * @throws {ToolingError} as {@link checkImage}
 */
export async function assemblePlatform(
  parts: PlatformParts,
  recipe: LayerRecipe,
  context: BuildContext,
): Promise<AssembledPlatform> {
  const { image, platform, base, tools } = parts;
  const named = namedTools(image, recipe);
  const records = recordsByTool(tools);
  const entries = createTopLayer({ image, platform, tools: named, base: base.record, records });
  const topPaths = entries.filter(({ type }) => type !== "directory").map(({ path }) => path);
  checkImage({ image, platform, base: base.record, tools, topPaths });
  const top = await buildTopLayer(entries, platform, recipe, context);
  const layers = nameBlobs(parts, top.record);
  const labels = formatImageLabels(recipe.lockfile, image, named);
  const shell = hasBash(base.record) ? "bash" : "sh";
  const config = formatImageConfig({ platform, layers, labels, shell, inherited: base.record.inherited });
  const manifest = formatImageManifest(platform, config.descriptor, layers, labels);
  const { store, signal } = context;
  if (!(await store.hasBlob(config.descriptor, { signal }))) {
    await store.putBlob(config.descriptor, streamOf(config.bytes), { signal });
  }
  return { ...parts, top, config: config.descriptor, manifest };
}

/** The tools of an image in the order in which it lists them. */
export function namedTools(image: string, { lockfile }: LayerRecipe): readonly NamedTool[] {
  return [...new Set(lockfile.images[image]?.tools ?? [])].flatMap((name) => {
    const tool = lockfile.tools[name];
    return tool === undefined ? [] : [{ name, tool }];
  });
}

function recordsByTool(tools: readonly MadeLayer[]): ReadonlyMap<string, LayerRecord> {
  return new Map(tools.flatMap(({ layer, record }) => layer.tools.map((name) => [name, record] as const)));
}

function nameBlobs({ base, tools }: PlatformParts, top: LayerRecord): readonly NamedBlob[] {
  const below = [base, ...tools].flatMap(({ layer, record }) =>
    record.blobs.map((blob) => ({ name: layer.kind === "base" ? "base" : layer.tools.join(", "), blob })),
  );
  return [...below, ...top.blobs.map((blob) => ({ name: "top", blob }))];
}

/** Its key is its content: small enough to be made each time, it is only compressed and stored when it is new. */
async function buildTopLayer(
  entries: readonly ArchiveEntry[],
  platform: Platform,
  { compression }: LayerRecipe,
  context: BuildContext,
): Promise<BuiltLayer> {
  const { store, cacheDir, signal, onProgress } = context;
  const key = formatLayerKey({ compression, top: await Promise.all(entries.map(identifyEntry)) });
  const what = describeLayer({ name: "top", platform });
  const found = await readLayerRecord(cacheDir, key, store);
  if (found !== undefined) {
    onProgress?.({ type: "finished", what, skipped: true });
    return { record: found, cached: true };
  }
  const observer = new LayerObserver({ platform, ownerOf: () => "toolbox itself" });
  const blob = await writeLayer(observer.observe(entries), store, { compression, what, signal, onProgress });
  const record = createLayerRecord({ key, blobs: [blob], packages: [], ...observer.finish() });
  await writeLayerRecord(cacheDir, record);
  return { record, cached: false };
}

async function identifyEntry(entry: ArchiveEntry): Promise<unknown> {
  if (entry.type !== "file") return entry;
  const { open, ...rest } = entry;
  const content = createHash("sha256")
    .update(await collectBytes(open()))
    .digest("hex");
  return { ...rest, content };
}

function hasBash({ files }: LayerRecord): boolean {
  return ["bin/bash", "usr/bin/bash", "usr/local/bin/bash"].some((path) => Object.hasOwn(files, path));
}
