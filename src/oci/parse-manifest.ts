// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { parseStrictJson } from "../core/strict-json.ts";
import type { Descriptor } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import type { ImageConfig, ImageIndex, ImageManifest } from "./image-manifest.ts";
import { isIndexMediaType, isManifestMediaType, MEDIA_TYPES } from "./media-type.ts";

/** A manifest or an index, told apart. */
export type ParsedManifest =
  | { readonly kind: "manifest"; readonly mediaType: string; readonly manifest: ImageManifest }
  | { readonly kind: "index"; readonly mediaType: string; readonly index: ImageIndex };

/** Largest manifest that is read, in bytes (distribution-spec v1.1.1 asks for at least 4 MB). */
export const MANIFEST_LIMIT: number = 4 * 1024 * 1024;

/**
 * Reads an image manifest or index, OCI or Docker v2.2. Unknown members are let through, everything that two readers
 * could understand differently is refused.
 *
 * @param mediaType What the descriptor or the registry said it is. Absent: what the document says, else what its members show.
 * @throws {ToolingError} `MANIFEST_INVALID`, `JSON_INVALID`
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): ParsedManifest {
  if (bytes.byteLength > MANIFEST_LIMIT) throw invalid(`is larger than ${MANIFEST_LIMIT} bytes`);
  const value = expectObject(parseStrictJson(bytes, { what: "manifest" }), "manifest");
  if (value["schemaVersion"] !== 2) throw invalid('does not have "schemaVersion" 2');
  const type = agreeOnType(value, mediaType);
  if ("manifests" in value && ("config" in value || "layers" in value)) {
    throw invalid('has both "manifests" and "config" or "layers", so readers would disagree on what it is');
  }
  if ("fsLayers" in value) throw invalid('holds "fsLayers" of an obsolete format');
  checkAnnotations(value, "manifest");
  if (value["subject"] !== undefined) checkDescriptor(value["subject"], "subject");
  return isIndexMediaType(type) ? toIndex(value, type) : toManifest(value, type);
}

function agreeOnType(value: Record<string, unknown>, expected: string | undefined): string {
  const own = value["mediaType"];
  if (own !== undefined && typeof own !== "string") throw invalid('has a "mediaType" that is not text');
  if (own !== undefined && expected !== undefined && own !== expected) {
    throw invalid(`says it is "${own}" but came as "${expected}"`);
  }
  const type = own ?? expected ?? guessType(value);
  if (!isManifestMediaType(type)) throw invalid(`is "${type}", neither an image manifest nor an index`);
  return type;
}

function guessType(value: Record<string, unknown>): string {
  return "manifests" in value ? MEDIA_TYPES.imageIndex : MEDIA_TYPES.imageManifest;
}

function toIndex(value: Record<string, unknown>, mediaType: string): ParsedManifest {
  for (const item of expectArray(value["manifests"], "manifests")) checkDescriptor(item, "manifests");
  return { kind: "index", mediaType, index: value as unknown as ImageIndex };
}

function toManifest(value: Record<string, unknown>, mediaType: string): ParsedManifest {
  checkDescriptor(value["config"], "config");
  for (const item of expectArray(value["layers"], "layers")) checkDescriptor(item, "layers");
  const manifest = value as unknown as ImageManifest;
  if (manifest.config.mediaType === MEDIA_TYPES.empty && typeof value["artifactType"] !== "string") {
    throw invalid('has an empty config and no "artifactType"');
  }
  return { kind: "manifest", mediaType, manifest };
}

const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

/**
 * Whether a value from a JSON document is a descriptor.
 *
 * @throws {ToolingError} `MANIFEST_INVALID`
 */
export function checkDescriptor(value: unknown, member: string): asserts value is Descriptor {
  const descriptor = expectObject(value, member);
  for (const [key, isGood] of Object.entries(DESCRIPTOR_MEMBERS)) {
    if (!isGood(descriptor[key])) throw invalid(`has a bad "${key}" in "${member}"`);
  }
  checkAnnotations(descriptor, member);
  checkPlatform(descriptor["platform"], member);
}

const DESCRIPTOR_MEMBERS: Readonly<Record<string, (value: unknown) => boolean>> = {
  mediaType: (value) => typeof value === "string" && MEDIA_TYPE.test(value),
  digest: (value) => typeof value === "string" && isDigest(value),
  size: (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0,
  data: (value) => value === undefined || typeof value === "string",
  artifactType: (value) => value === undefined || typeof value === "string",
  urls: (value) => value === undefined || isTextArray(value),
};

function checkPlatform(platform: unknown, member: string): void {
  if (platform === undefined) return;
  const { architecture, os, variant } = expectObject(platform, `${member}.platform`);
  const isText = typeof architecture === "string" && typeof os === "string";
  if (!isText || (variant !== undefined && typeof variant !== "string"))
    throw invalid(`has a bad platform in "${member}"`);
}

function checkAnnotations({ annotations }: Record<string, unknown>, member: string): void {
  if (annotations === undefined) return;
  if (!isTextArray(Object.values(expectObject(annotations, `${member}.annotations`)))) {
    throw invalid(`has an annotation that is not text in "${member}"`);
  }
}

/**
 * Reads the configuration of an image. `layers`, when given, is how many the manifest has.
 *
 * @throws {ToolingError} `MANIFEST_INVALID`, `JSON_INVALID`
 */
export function parseImageConfig(bytes: Uint8Array, { layers }: { layers?: number } = {}): ImageConfig {
  const value = expectObject(parseStrictJson(bytes, { what: "image config" }), "config");
  const { architecture, os } = value;
  if (typeof architecture !== "string" || typeof os !== "string")
    throw invalid("has a config without a platform");
  const { type, diff_ids: diffIds } = expectObject(value["rootfs"], "rootfs");
  if (type !== "layers") throw invalid(`has a config with the unknown rootfs type "${String(type)}"`);
  if (!isTextArray(diffIds) || !diffIds.every(isDigest)) throw invalid("has a config with bad diff_ids");
  if (layers !== undefined && diffIds.length !== layers) {
    throw invalid(`has ${layers} layers but its config lists ${diffIds.length}`);
  }
  return value as unknown as ImageConfig;
}

function isTextArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function expectObject(value: unknown, member: string): Record<string, unknown> {
  if (value !== null && typeof value === "object" && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalid(`has no object in "${member}"`);
}

function expectArray(value: unknown, member: string): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw invalid(`has no list in "${member}"`);
}

function invalid(why: string): ToolingError {
  return new ToolingError("MANIFEST_INVALID", `manifest ${why}`, {
    hint: "Do not use this image; tell whoever published it.",
  });
}
