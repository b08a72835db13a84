// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../core/operation.ts";
import type { Descriptor } from "../oci/index.ts";
import {
  compareConfigs,
  compareDescriptors,
  compareIndexes,
  compareManifests,
  type DocumentDiff,
} from "./compare-documents.ts";
import type { FileChange } from "./compare-tars.ts";
import { compareTrees } from "./compare-trees.ts";
import { compareValues, type ValueChange } from "./compare-values.ts";
import { diffLayers, type DiffLayersOptions, type LayerDiff } from "./diff-layers.ts";
import { type ImageEnd, type PlatformDocuments, readRoot, type RootDocument } from "./image-end.ts";
import { type ImagePart, listParts, pairParts, type PartPair, readPart } from "./image-parts.ts";
import { type LayerPair, listLayers, type NameLayer, pairLayers } from "./pair-layers.ts";

/** How two images differ, from the digests down. */
export interface ImageDiff {
  /** Whether they are the same to the byte. */
  readonly same: boolean;
  /** What the two indexes say beside their manifests. Absent: all is the same, or one of the two is no index. */
  readonly index?: DocumentDiff | undefined;
  /** In the order of the second image, then what only the first has. Empty when all is the same. */
  readonly platforms: readonly PlatformDiff[];
}

/** What became of one platform. */
export interface PlatformDiff {
  readonly platform: string;
  readonly kind: "same" | "added" | "removed" | "changed";
  readonly from?: Descriptor | undefined;
  readonly to?: Descriptor | undefined;
  /** What the indexes say of its manifests beside digest and size. */
  readonly descriptor: readonly ValueChange[];
  /** What was read of both. Absent unless it is changed. */
  readonly content?: PlatformContentDiff | undefined;
}

/** How the manifests of one platform differ. */
export interface PlatformContentDiff {
  readonly manifest: DocumentDiff;
  /** Absent: the configs are the same, or not both are those of images. */
  readonly config?: DocumentDiff | undefined;
  readonly layers: readonly LayerDiff[];
  /** What differs when all layers lie on each other. Absent: that was not asked for. */
  readonly tree?: readonly FileChange[] | undefined;
  readonly documents: readonly [PlatformDocuments, PlatformDocuments];
}

/** Optional parts of {@link diffImages}. */
export interface DiffImagesOptions extends OperationOptions, DiffLayersOptions {
  /** Absent: layers have no names. */
  readonly nameLayer?: NameLayer | undefined;
  /** Reads all layers of platforms that differ, and compares what they show together. */
  readonly merged?: boolean | undefined;
}

/**
 * Compares two images. What has the same digest in both is not read. Without `files`, no layer is.
 *
 * @throws {ToolingError} `MANIFEST_INVALID`, `JSON_INVALID`, what {@link diffLayers} throws, and what the sources throw
 */
export async function diffImages(
  from: ImageEnd,
  to: ImageEnd,
  options: DiffImagesOptions = {},
): Promise<ImageDiff> {
  if (from.root.digest === to.root.digest) return { same: true, platforms: [] };
  const [before, after] = [await readRoot(from, options), await readRoot(to, options)];
  const parts = [await listParts(from, before, options), await listParts(to, after, options)] as const;
  const platforms: PlatformDiff[] = [];
  for (const pair of pairParts(...parts)) platforms.push(await diffPart(pair, [from, to], options));
  return { same: false, index: await diffRoots([before, after], parts), platforms };
}

async function diffRoots(
  [from, to]: readonly [RootDocument, RootDocument],
  parts: readonly [readonly ImagePart[], readonly ImagePart[]],
): Promise<DocumentDiff | undefined> {
  if (from.kind !== "index" || to.kind !== "index") return undefined;
  const { changes, spelling } = await compareIndexes(from.document, to.document);
  return { changes: [...changes, ...compareOrder(...parts)], spelling };
}

/** A reader takes the first manifest that fits, so the order counts; what came or went is told elsewhere. */
function compareOrder(from: readonly ImagePart[], to: readonly ImagePart[]): readonly ValueChange[] {
  const [before, after] = [namesIn(from, to), namesIn(to, from)];
  return compareValues(before, after).length === 0 ? [] : [{ path: ["manifests"], from: before, to: after }];
}

/** The platforms of the one that the other has too. */
function namesIn(parts: readonly ImagePart[], others: readonly ImagePart[]): readonly string[] {
  const known = new Set(others.map(({ platform }) => platform));
  return parts.flatMap(({ platform }) => (known.has(platform) ? [platform] : []));
}

async function diffPart(
  pair: PartPair,
  ends: readonly [ImageEnd, ImageEnd],
  options: DiffImagesOptions,
): Promise<PlatformDiff> {
  if (pair.kind === "added")
    return { platform: pair.to.platform, kind: "added", to: pair.to.descriptor, descriptor: [] };
  if (pair.kind === "removed")
    return { platform: pair.from.platform, kind: "removed", from: pair.from.descriptor, descriptor: [] };
  const [from, to] = [pair.from.descriptor, pair.to.descriptor];
  const descriptor = compareDescriptors(from, to);
  const named = { platform: pair.to.platform, from, to, descriptor };
  if (from.digest === to.digest) return { ...named, kind: "same" };
  const documents = [
    await readPart(ends[0], pair.from, options),
    await readPart(ends[1], pair.to, options),
  ] as const;
  const content = await diffContents(documents, ends, { ...options, platform: named.platform });
  return { ...named, kind: "changed", content };
}

async function diffContents(
  documents: readonly [PlatformDocuments, PlatformDocuments],
  ends: readonly [ImageEnd, ImageEnd],
  options: DiffImagesOptions & { readonly platform: string },
): Promise<PlatformContentDiff> {
  const [from, to] = documents;
  const { nameLayer = () => undefined } = options;
  const before = listLayers(from.manifest.value, from.config?.value, nameLayer);
  const after = listLayers(to.manifest.value, to.config?.value, nameLayer);
  const pairs = pairLayers(before, after);
  return {
    manifest: await compareManifests(from.manifest, to.manifest),
    config: await diffConfigs(documents, pairs),
    layers: await diffLayers(pairs, ends, options),
    tree: options.merged === true ? await compareTrees(ends, [before, after], options) : undefined,
    documents,
  };
}

async function diffConfigs(
  [from, to]: readonly [PlatformDocuments, PlatformDocuments],
  pairs: readonly LayerPair[],
): Promise<DocumentDiff | undefined> {
  const isSame = from.manifest.value.config.digest === to.manifest.value.config.digest;
  if (isSame || from.config === undefined || to.config === undefined) return undefined;
  const { changes, spelling } = await compareConfigs(from.config, to.config);
  // One blob cannot have two diffIDs: one of the configs is wrong.
  const wrong = pairs.flatMap((pair): ValueChange[] => {
    if (pair.kind !== "same" || pair.from.diffID === pair.to.diffID) return [];
    return [{ path: ["rootfs", "diff_ids", pair.to.position], from: pair.from.diffID, to: pair.to.diffID }];
  });
  return { changes: [...changes, ...wrong], spelling };
}
