// SPDX-License-Identifier: Apache-2.0
import { formatCanonicalJson } from "../core/json.ts";
import type { Platform } from "../core/platform.ts";
import {
  describeBytes,
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  MEDIA_TYPES,
} from "../oci/index.ts";
import { IMAGE_USER } from "./account.ts";
import { describePlatform, FIXED_TIME, formatLayerHistory, IMAGE_ENV } from "./image-facts.ts";
import type { InheritedConfig, LayerBlob } from "./layer-record.ts";

/** A JSON document of an image, ready to be stored. */
export interface ImageDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A layer and what its line in the history says. */
export interface NamedBlob {
  readonly name: string;
  readonly blob: LayerBlob;
}

/** What the config of one platform is made from. */
export interface ImageConfigParts {
  readonly platform: Platform;
  readonly layers: readonly NamedBlob[];
  readonly labels: Readonly<Record<string, string>>;
  /** The shell that runs when no command is given, by name. */
  readonly shell: string;
  /** Absent: the base is no image. */
  readonly inherited?: InheritedConfig | undefined;
}

/**
 * The config of one platform (image-spec v1.1.1, config.md). No entrypoint: CI systems start a shell in an image
 * and hand it their script.
 */
export function formatImageConfig(parts: ImageConfigParts): ImageDocument {
  const { platform, layers, labels, shell, inherited } = parts;
  const config: ImageConfig = {
    created: FIXED_TIME,
    ...describePlatform(platform),
    config: {
      User: IMAGE_USER.name,
      Env: mergeEnv(inherited?.env ?? []),
      Cmd: [shell],
      WorkingDir: "/work",
      Labels: { ...inherited?.labels, ...labels },
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ blob }) => blob.diffID) },
    history: layers.map(({ name }) => ({ created: FIXED_TIME, created_by: formatLayerHistory(name) })),
  };
  return formatDocument(config, MEDIA_TYPES.imageConfig);
}

/** The manifest of one platform (image-spec v1.1.1, manifest.md). Its descriptor carries the platform. */
export function formatImageManifest(
  platform: Platform,
  config: Descriptor,
  layers: readonly NamedBlob[],
  annotations: Readonly<Record<string, string>>,
): ImageDocument {
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    config,
    layers: layers.map(({ blob: { mediaType, digest, size } }) => ({ mediaType, digest, size })),
    annotations,
  };
  const { bytes, descriptor } = formatDocument(manifest, MEDIA_TYPES.imageManifest);
  return { bytes, descriptor: { ...descriptor, platform: describePlatform(platform) } };
}

/** The index over all platforms (image-spec v1.1.1, image-index.md). */
export function formatImageIndex(
  manifests: readonly Descriptor[],
  annotations: Readonly<Record<string, string>>,
): ImageDocument {
  const index: ImageIndex = { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests, annotations };
  return formatDocument(index, MEDIA_TYPES.imageIndex);
}

function formatDocument(document: unknown, mediaType: string): ImageDocument {
  const bytes = new TextEncoder().encode(formatCanonicalJson(document));
  return { bytes, descriptor: describeBytes(bytes, mediaType) };
}

function mergeEnv(inherited: readonly string[]): readonly string[] {
  const others = inherited.filter((line) => !Object.hasOwn(IMAGE_ENV, line.slice(0, line.indexOf("="))));
  return [...others, ...Object.entries(IMAGE_ENV).map(([name, value]) => `${name}=${value}`)];
}
