// SPDX-License-Identifier: Apache-2.0
import { stat } from "node:fs/promises";
import { isSystemError, ToolingError } from "../core/error.ts";
import { describeReadFailure, readPatiently } from "../core/file-limit.ts";
import { blobPathIn } from "./blob-file.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { childrenOf, isManifestDescriptor } from "./manifest-children.ts";
import { MANIFEST_LIMIT, type ParsedManifest, parseManifest } from "./parse-manifest.ts";

/** Everything that can be reached from `roots`, the roots and the subjects of referrers included. */
export async function markContent(
  folder: string,
  roots: Iterable<Descriptor>,
  marked: Map<Digest, Descriptor> = new Map(),
): Promise<Map<Digest, Descriptor>> {
  const open = [...roots];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (marked.has(next.digest)) continue;
    marked.set(next.digest, next);
    if (!isManifestDescriptor(next)) continue;
    const parsed = await readStoredManifest(folder, next.digest, next.mediaType);
    if (parsed !== undefined) open.push(...referencesOf(parsed));
  }
  return marked;
}

/** What a manifest points at, its subject included. */
export function referencesOf(parsed: ParsedManifest): readonly Descriptor[] {
  const { subject } = parsed.kind === "index" ? parsed.index : parsed.manifest;
  return subject === undefined ? childrenOf(parsed) : [...childrenOf(parsed), subject];
}

/**
 * A stored document, `undefined` when it is not there.
 *
 * @throws {ToolingError} `STORE_CORRUPT`, `FILE_LIMIT_EXCEEDED`, `FILE_UNREADABLE`
 */
export async function readStoredManifest(
  folder: string,
  digest: Digest,
  mediaType?: string,
): Promise<ParsedManifest | undefined> {
  const path = blobPathIn(folder, digest);
  const bytes = await readIfSmall(path);
  if (bytes === undefined) return undefined;
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (!(error instanceof ToolingError)) throw error;
    throw new ToolingError("STORE_CORRUPT", `"${path}" is damaged: ${error.message}`, {
      hint: "Remove that file and run the command again.",
      cause: error,
    });
  }
}

/** `undefined` when there is no such file, or when it is larger than any manifest. */
async function readIfSmall(path: string): Promise<Uint8Array | undefined> {
  try {
    return (await stat(path)).size > MANIFEST_LIMIT ? undefined : await readPatiently(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw describeReadFailure(error, path);
  }
}
