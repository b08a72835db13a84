// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from "./digest.ts";
import { MEDIA_TYPES } from "./media-type.ts";

/** The platform that a manifest is for, in GOOS and GOARCH words (image-spec v1.1.1, image-index.md). */
export interface DescriptorPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

/** Points at content by its digest (image-spec v1.1.1, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the content. */
  readonly size: number;
  readonly platform?: DescriptorPlatform;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  /** The content itself, in base64. Checked against digest and size when read. */
  readonly data?: string;
  /** Other places that hold the content. Never followed. */
  readonly urls?: readonly string[];
}

/** Describes bytes at hand. */
export function describeBytes(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

/** What stands where the specification wants a descriptor but there is nothing to describe (manifest.md). */
export const EMPTY_DESCRIPTOR: Descriptor = {
  mediaType: MEDIA_TYPES.empty,
  digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  size: 2,
  data: "e30=",
};

/** The two bytes that {@link EMPTY_DESCRIPTOR} describes. */
export const EMPTY_BYTES: Uint8Array = new TextEncoder().encode("{}");

/** `linux/arm64/v8`; the variant is left out when absent. */
export function formatPlatform({ os, architecture, variant }: DescriptorPlatform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}
