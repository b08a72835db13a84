// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import {
  type ContentSource,
  type Descriptor,
  type ImageConfig,
  type ImageManifest,
  MANIFEST_LIMIT,
  parseImageConfig,
  parseManifest,
  verifyStream,
} from "../oci/index.ts";
import type { SessionImage } from "../session/index.ts";
import type { ImageSupply } from "./engine.ts";

/** The one manifest of an image that fits a platform, and where its content comes from. */
export interface PlatformImage {
  readonly source: ContentSource;
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
}

/** Where a manifest was found. */
interface FoundManifest {
  readonly source: ContentSource;
  readonly descriptor: Descriptor;
}

/**
 * Finds the manifest for the session's platform: in the store, else in the registry.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `PLATFORM_UNAVAILABLE`, `MANIFEST_INVALID`
 */
export async function findPlatformImage(
  image: SessionImage,
  supply: ImageSupply,
  options: OperationOptions = {},
): Promise<PlatformImage> {
  const { source, descriptor } = await findManifest(image, supply, options);
  const parsed = parseManifest(await source.fetchManifest(descriptor, options), descriptor.mediaType);
  if (parsed.kind === "manifest") return { source, descriptor, manifest: parsed.manifest };
  const [os, architecture] = image.platform.split("/");
  const child = parsed.index.manifests.find(
    ({ platform }) => platform?.os === os && platform?.architecture === architecture,
  );
  if (child === undefined) {
    throw new ToolingError(
      "PLATFORM_UNAVAILABLE",
      `image "${image.digest}" has nothing for ${image.platform}`,
      {
        hint: "Ask its publisher for that platform, or run it on another machine.",
      },
    );
  }
  const inner = parseManifest(await source.fetchManifest(child, options), child.mediaType);
  if (inner.kind === "manifest") return { source, descriptor: child, manifest: inner.manifest };
  throw new ToolingError("MANIFEST_INVALID", `image "${child.digest}" is an index inside an index`, {
    hint: "Do not use this image; tell whoever published it.",
  });
}

/** Whether the local store has the image's manifest. */
export async function findInStore(
  { digest }: SessionImage,
  { store }: ImageSupply,
  options: OperationOptions = {},
): Promise<Descriptor | undefined> {
  try {
    return await store.resolveManifest(digest, options);
  } catch (error) {
    if (error instanceof ToolingError) return undefined;
    throw error;
  }
}

/** The configuration of an image: its environment, and the diffIDs of its layers. */
export async function readImageConfig(
  { source, manifest }: PlatformImage,
  options: OperationOptions = {},
): Promise<ImageConfig> {
  const content = verifyStream(source.openBlob(manifest.config, options), manifest.config, options);
  return parseImageConfig(await collectBytes(content, { limit: MANIFEST_LIMIT }), {
    layers: manifest.layers.length,
  });
}

async function findManifest(
  image: SessionImage,
  supply: ImageSupply,
  options: OperationOptions,
): Promise<FoundManifest> {
  const local = await findInStore(image, supply, options);
  if (local !== undefined) return { source: supply.store, descriptor: local };
  if (supply.openRegistry !== undefined) {
    const source = await supply.openRegistry();
    return { source, descriptor: await source.resolveManifest(image.digest, options) };
  }
  throw imageMissing(image);
}

/** The error for an image that neither the store nor a registry can give. */
export function imageMissing({ digest, reference }: SessionImage): ToolingError {
  return new ToolingError("IMAGE_NOT_FOUND", `image "${reference ?? digest}" is not in the local store`, {
    hint: 'Build it with "toolbox build", or name the registry that has it.',
  });
}
