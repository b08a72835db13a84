// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../core/operation.ts";
import { type Descriptor, matchesPlatform } from "../oci/index.ts";
import {
  type ImageEnd,
  type PlatformDocuments,
  platformName,
  readPlatform,
  type RootDocument,
  withConfig,
} from "./image-end.ts";

/** One manifest of an image. */
export interface ImagePart {
  /** `os/architecture[/variant]`; manifests of one platform after the first are numbered: `unknown/unknown 2`. */
  readonly platform: string;
  readonly descriptor: Descriptor;
  /** Absent: not read yet. */
  readonly documents?: PlatformDocuments | undefined;
}

/** A manifest of each image for the same platform, or of one that the other has nothing for. */
export type PartPair =
  | { readonly kind: "both"; readonly from: ImagePart; readonly to: ImagePart }
  | { readonly kind: "added"; readonly to: ImagePart }
  | { readonly kind: "removed"; readonly from: ImagePart };

/** The manifests of an image. Of one without an index, config and all are read, because only they tell the platform. */
export async function listParts(
  end: ImageEnd,
  root: RootDocument,
  options: OperationOptions,
): Promise<readonly ImagePart[]> {
  if (root.kind === "manifest") {
    const documents = await withConfig(end, root.document, options);
    const platform = platformName(end.root, documents.config?.value);
    return [{ platform, descriptor: end.root, documents }];
  }
  const counts = new Map<string, number>();
  return root.document.value.manifests.map((descriptor) => {
    const name = platformName(descriptor);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return { platform: count === 1 ? name : `${name} ${count}`, descriptor };
  });
}

/** Reads what is not read yet. */
export async function readPart(
  end: ImageEnd,
  { descriptor, documents }: ImagePart,
  options: OperationOptions,
): Promise<PlatformDocuments> {
  return documents ?? (await readPlatform(end, descriptor, options));
}

/**
 * Finds what belongs together: by name, else a platform with and without its variant (`linux/arm64`, `linux/arm64/v8`).
 * Two images of one manifest each are compared whatever they are for. In the order of `to`, then what it lacks.
 */
export function pairParts(from: readonly ImagePart[], to: readonly ImagePart[]): readonly PartPair[] {
  const [left, right] = [from[0], to[0]];
  const areSingle = [...from, ...to].every(({ documents }) => documents !== undefined);
  if (areSingle && left !== undefined && right !== undefined)
    return [{ kind: "both", from: left, to: right }];
  const free = new Set(from);
  const partners = new Map<ImagePart, ImagePart>();
  for (const belongs of [hasSameName, isSamePlatform]) {
    for (const part of to) {
      const partner = partners.has(part) ? undefined : [...free].find((other) => belongs(other, part));
      if (partner === undefined) continue;
      partners.set(part, partner);
      free.delete(partner);
    }
  }
  const pairs = to.map((part): PartPair => {
    const partner = partners.get(part);
    return partner === undefined ? { kind: "added", to: part } : { kind: "both", from: partner, to: part };
  });
  return [...pairs, ...[...free].map((part): PartPair => ({ kind: "removed", from: part }))];
}

function hasSameName(a: ImagePart, b: ImagePart): boolean {
  return a.platform === b.platform;
}

function isSamePlatform(a: ImagePart, b: ImagePart): boolean {
  return matchesPlatform(platformOf(a), b.platform);
}

function platformOf({ descriptor, documents }: ImagePart): Descriptor["platform"] {
  return descriptor.platform ?? documents?.config?.value;
}
