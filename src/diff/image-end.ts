// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import {
  type ContentSource,
  type Descriptor,
  formatPlatform,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  MANIFEST_LIMIT,
  MEDIA_TYPES,
  parseImageConfig,
  parseManifest,
  verifyStream,
} from "../oci/index.ts";

/** One of the two images: where its content is, and what its name stands for. */
export interface ImageEnd {
  readonly source: ContentSource;
  readonly root: Descriptor;
}

/** A JSON document with its bytes. */
export interface ReadDocument<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/** What is read of an image first. */
export type RootDocument =
  | { readonly kind: "index"; readonly document: ReadDocument<ImageIndex> }
  | { readonly kind: "manifest"; readonly document: ReadDocument<ImageManifest> };

/** The manifest for one platform, and its config. */
export interface PlatformDocuments {
  readonly manifest: ReadDocument<ImageManifest>;
  /** Absent: the config is not that of an image. */
  readonly config?: ReadDocument<ImageConfig> | undefined;
}

/**
 * Reads the document that an image's name stands for.
 *
 * @throws {ToolingError} `MANIFEST_INVALID`, and what the source throws
 */
export async function readRoot(
  { source, root }: ImageEnd,
  { signal }: OperationOptions,
): Promise<RootDocument> {
  const bytes = await source.fetchManifest(root, { signal });
  const parsed = parseManifest(bytes, root.mediaType);
  return parsed.kind === "index"
    ? { kind: "index", document: { bytes, value: parsed.index } }
    : { kind: "manifest", document: { bytes, value: parsed.manifest } };
}

/**
 * Reads the manifest that a descriptor of an index points at, and its config.
 *
 * @throws {ToolingError} `MANIFEST_INVALID` (also for an index within an index), and what the source throws
 */
export async function readPlatform(
  end: ImageEnd,
  descriptor: Descriptor,
  options: OperationOptions,
): Promise<PlatformDocuments> {
  const read = await readRoot({ source: end.source, root: descriptor }, options);
  if (read.kind === "manifest") return await withConfig(end, read.document, options);
  throw new ToolingError("MANIFEST_INVALID", `"${descriptor.digest}" is an index within an index`, {
    hint: "Compare it by its own digest.",
  });
}

/** The config of a manifest that is at hand. */
export async function withConfig(
  { source }: ImageEnd,
  manifest: ReadDocument<ImageManifest>,
  { signal }: OperationOptions,
): Promise<PlatformDocuments> {
  const { config, layers } = manifest.value;
  if (config.mediaType !== MEDIA_TYPES.imageConfig && config.mediaType !== MEDIA_TYPES.dockerConfig)
    return { manifest };
  const content = verifyStream(source.openBlob(config, { signal }), config, { signal });
  const onExcess = (): Error =>
    new ToolingError("MANIFEST_INVALID", `config "${config.digest}" is larger than ${MANIFEST_LIMIT} bytes`);
  const bytes = await collectBytes(content, { limit: MANIFEST_LIMIT, onExcess });
  return { manifest, config: { bytes, value: parseImageConfig(bytes, { layers: layers.length }) } };
}

/** What a platform is called in a comparison: as its descriptor says, else as the config says. */
export function platformName({ platform }: Descriptor, config?: ImageConfig): string {
  const { os, architecture, variant } = platform ?? config ?? {};
  if (os === undefined || architecture === undefined) return "no platform";
  return formatPlatform({ os, architecture, ...(variant !== undefined && { variant }) });
}
