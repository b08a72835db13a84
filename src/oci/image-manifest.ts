// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from "./descriptor.ts";

/** An image or artifact for one platform (image-spec v1.1.1, manifest.md). Unknown members are kept. */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  /** What an artifact is. Never set on an image that is to be run. */
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** The manifest that this one is about. */
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Manifests for several platforms, the first match wins (image-spec v1.1.1, image-index.md). Unknown members are kept. */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One step that made an image; those with `empty_layer` have no layer. */
export interface ImageHistory {
  /** RFC 3339. */
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** What a container made from an image is given (image-spec v1.1.1, config.md). */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  /** `NAME=VALUE` each. */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
}

/** The configuration of an image for one platform (image-spec v1.1.1, config.md). */
export interface ImageConfig {
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly config?: ContainerConfig;
  /** Digests of the uncompressed layers, the base first. */
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly string[] };
  readonly history?: readonly ImageHistory[];
}
