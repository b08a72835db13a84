// SPDX-License-Identifier: Apache-2.0
import { decompress, readTar } from "../archive/index.ts";
import { collectBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import { architectureOf, type Platform } from "../core/platform.ts";
import {
  type ContentSource,
  createDigester,
  type Descriptor,
  digestOf,
  type ImageConfig,
  type ImageManifest,
  layerCompressionOf,
  MEDIA_TYPES,
  parseDigest,
  parseImageConfig,
  parseManifest,
  verifyStream,
} from "../oci/index.ts";
import type { LayerBlob, LayerContent, LayerRecord } from "./layer-record.ts";
import type { LayerStore } from "./layer-writer.ts";
import { tapStream } from "./tap-stream.ts";
import { TreeView } from "./tree-view.ts";

/** The parts of a record that come from a base image. */
export type BaseImage = LayerContent & Required<Pick<LayerRecord, "blobs" | "inherited">>;

const CONFIG_LIMIT = 4 << 20;

/** What is wanted of an image. */
export interface ReadImageOptions extends OperationOptions {
  /** Says of which files the content is kept. */
  readonly capture: (path: string) => boolean;
}

/**
 * Copies the layers of one platform's manifest into the store, as they are, and looks at what is in them.
 *
 * @throws {ToolingError} `BINARY_WRONG_PLATFORM`, `DIGEST_MISMATCH`, `MANIFEST_INVALID`, and what the source throws
 */
export async function importBaseImage(
  source: ContentSource,
  digest: string,
  platform: Platform,
  store: LayerStore,
  { capture, ...options }: ReadImageOptions,
): Promise<BaseImage> {
  const manifest = await fetchPlatformManifest(source, digest, options);
  const config = await fetchConfig(source, manifest, platform, options);
  const view = new TreeView(capture);
  const blobs: LayerBlob[] = [];
  for (const [index, layer] of manifest.layers.entries()) {
    if (!(await store.hasBlob(layer, options)))
      await store.putBlob(layer, source.openBlob(layer, options), options);
    blobs.push(await readLayer(store, layer, config.rootfs.diff_ids[index] ?? "", view, options));
  }
  const env = config.config?.Env ?? [];
  return { blobs, ...view.finish(), inherited: { env, labels: inheritLabels(config) } };
}

/**
 * Looks at what one platform's manifest shows when its layers lie on each other, without keeping them.
 *
 * @throws {ToolingError} `DIGEST_MISMATCH`, `MANIFEST_INVALID`, and what the source throws
 */
export async function readImageTree(
  source: ContentSource,
  digest: string,
  { capture, ...options }: ReadImageOptions,
): Promise<LayerContent> {
  const { layers } = await fetchPlatformManifest(source, digest, options);
  const view = new TreeView(capture);
  for (const layer of layers) {
    const content = verifyStream(source.openBlob(layer, options), layer, options);
    const tar = decompress(content, { format: requireCompression(layer) });
    view.startLayer();
    for await (const member of readTar(tar, { layer: true, signal: options.signal })) await view.add(member);
  }
  return view.finish();
}

async function fetchPlatformManifest(
  source: ContentSource,
  digest: string,
  options: OperationOptions,
): Promise<ImageManifest> {
  const descriptor = await source.resolveManifest(parseDigest(digest), options);
  const bytes = await source.fetchManifest(descriptor, options);
  if (digestOf(bytes) !== digest) {
    throw new ToolingError("DIGEST_MISMATCH", `base image "${digest}" arrived as "${digestOf(bytes)}"`, {
      hint: "Ask the registry's operator; never build on it.",
    });
  }
  const parsed = parseManifest(bytes, descriptor.mediaType);
  if (parsed.kind === "manifest") return parsed.manifest;
  throw new ToolingError(
    "MANIFEST_INVALID",
    `base image "${digest}" is an index where one platform is needed`,
    {
      hint: 'Run "toolbox lock" to lock a manifest for each platform.',
    },
  );
}

async function fetchConfig(
  source: ContentSource,
  manifest: ImageManifest,
  platform: Platform,
  options: OperationOptions,
): Promise<ImageConfig> {
  const { config, layers } = manifest;
  const bytes = await collectBytes(verifyStream(source.openBlob(config, options), config, options), {
    limit: CONFIG_LIMIT,
  });
  const parsed = parseImageConfig(bytes, { layers: layers.length });
  if (parsed.os === "linux" && parsed.architecture === architectureOf(platform)) return parsed;
  throw new ToolingError(
    "BINARY_WRONG_PLATFORM",
    `base image "${config.digest}" is for ${parsed.os}/${parsed.architecture}, not for ${platform}`,
    { hint: 'Run "toolbox lock" to lock the base again.' },
  );
}

async function readLayer(
  store: LayerStore,
  layer: Descriptor,
  diffID: string,
  view: TreeView,
  options: OperationOptions,
): Promise<LayerBlob> {
  const compression = requireCompression(layer);
  const digester = createDigester();
  let uncompressedSize = 0;
  const tar = tapStream(decompress(store.openBlob(layer, options), { format: compression }), (chunk) => {
    digester.update(chunk);
    uncompressedSize += chunk.byteLength;
  });
  view.startLayer();
  for await (const member of readTar(tar, { layer: true, signal: options.signal })) await view.add(member);
  const found = digester.digest();
  if (found !== diffID) {
    throw new ToolingError(
      "DIGEST_MISMATCH",
      `layer "${layer.digest}" of the base is "${found}", not "${diffID}"`,
      {
        hint: "Choose another base: its config does not belong to its layers.",
      },
    );
  }
  const mediaType = toOciType(compression);
  return { mediaType, digest: layer.digest, size: layer.size, diffID: found, uncompressedSize };
}

function requireCompression({ mediaType }: Descriptor): "none" | "gzip" | "zstd" {
  const compression = layerCompressionOf(mediaType);
  if (compression !== undefined) return compression;
  throw new ToolingError("MANIFEST_INVALID", `base image has a layer of the unknown type "${mediaType}"`, {
    hint: "Choose a base whose layers are tar, gzip or zstd.",
  });
}

/** Docker's names for the same bytes must not stand beside OCI's in one manifest. */
function toOciType(compression: "none" | "gzip" | "zstd"): string {
  if (compression === "none") return MEDIA_TYPES.layerTar;
  return compression === "gzip" ? MEDIA_TYPES.layerGzip : MEDIA_TYPES.layerZstd;
}

/** Title, version and the like tell about the base, not about what is made on it. */
function inheritLabels({ config }: ImageConfig): Readonly<Record<string, string>> {
  const labels = Object.entries(config?.Labels ?? {});
  return Object.fromEntries(labels.filter(([name]) => !name.startsWith("org.opencontainers.image.")));
}
