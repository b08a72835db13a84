// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { ManifestSource } from "./content-store.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { isTag } from "./reference.ts";

/** A manifest that is known by a tag. */
export interface TaggedManifest {
  readonly tag: string;
  readonly descriptor: Descriptor;
}

/** Finds manifests that are about another one and say so by their tag alone. */
export type FindTagged = (subject: Digest, options?: OperationOptions) => Promise<readonly TaggedManifest[]>;

/** Signatures, attestations and SBOMs, as cosign kept them before there were referrers, and still can. */
const SUFFIXES = [".sig", ".att", ".sbom"];

/**
 * Finds what cosign keeps about a manifest under tags: `sha256-HEX.sig`, `.att` and `.sbom`. No list of referrers names
 * these (cosign's SIGNATURE_SPEC.md, "Discovery").
 *
 * @throws {ToolingError} what the source throws, `IMAGE_NOT_FOUND` aside
 */
export async function findCosignTags(
  from: ManifestSource,
  subject: Digest,
  options: OperationOptions = {},
): Promise<readonly TaggedManifest[]> {
  const found: TaggedManifest[] = [];
  for (const suffix of SUFFIXES) {
    const tag = `${subject.replace(":", "-")}${suffix}`;
    // A sha512 makes it longer than a tag may be, so there can be none.
    if (!isTag(tag)) continue;
    const descriptor = await resolveIfAny(from, tag, options);
    if (descriptor !== undefined) found.push({ tag, descriptor });
  }
  return found;
}

async function resolveIfAny(
  from: ManifestSource,
  tag: string,
  options: OperationOptions,
): Promise<Descriptor | undefined> {
  try {
    const { mediaType, digest, size } = await from.resolveManifest(tag, options);
    return { mediaType, digest, size };
  } catch (error) {
    if (error instanceof ToolingError && error.code === "IMAGE_NOT_FOUND") return undefined;
    throw error;
  }
}
