// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { describeReadFailure, readPatiently } from "../core/file-limit.ts";
import { withFileLock } from "../core/file-lock.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { Descriptor } from "./descriptor.ts";
import type { ImageIndex } from "./image-manifest.ts";
import { MEDIA_TYPES } from "./media-type.ts";
import { parseManifest } from "./parse-manifest.ts";

/** The annotation that names an image in a layout (image-spec v1.1.1, image-layout.md#indexjson-file). */
export const REF_NAME = "org.opencontainers.image.ref.name";

const EMPTY_INDEX: ImageIndex = { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: [] };

/**
 * The index.json of a layout; an empty one when there is no file yet.
 *
 * @throws {ToolingError} `STORE_CORRUPT`, `FILE_LIMIT_EXCEEDED`, `FILE_UNREADABLE`
 */
export async function readLayoutIndex(folder: string): Promise<ImageIndex> {
  const path = join(folder, "index.json");
  const bytes = await readIfAny(path);
  if (bytes === undefined) return EMPTY_INDEX;
  try {
    const parsed = parseManifest(bytes, MEDIA_TYPES.imageIndex);
    return parsed.kind === "index" ? parsed.index : EMPTY_INDEX;
  } catch (error) {
    if (!(error instanceof ToolingError)) throw error;
    throw new ToolingError("STORE_CORRUPT", `"${path}" is damaged: ${error.message}`, {
      hint: "Remove that file (images must then be built or pulled again, their layers are kept).",
      cause: error,
    });
  }
}

async function readIfAny(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readPatiently(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw describeReadFailure(error, path);
  }
}

/** Runs `work` while no other process changes the index.json of `folder`. */
export async function withLayoutLock<T>(
  folder: string,
  { signal }: { readonly signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  return await withFileLock(join(folder, "index.json.lock"), { signal }, work);
}

/** Changes the list of images in index.json, under the lock; members that we do not know are kept. */
export async function updateLayoutIndex(
  folder: string,
  options: { readonly signal?: AbortSignal | undefined },
  change: (manifests: readonly Descriptor[]) => readonly Descriptor[] | Promise<readonly Descriptor[]>,
): Promise<void> {
  await withLayoutLock(folder, options, async () => {
    const index = await readLayoutIndex(folder);
    const before = formatCanonicalJson(index, { indent: 2 });
    const after = formatCanonicalJson({ ...index, manifests: await change(index.manifests) }, { indent: 2 });
    if (after !== before || index === EMPTY_INDEX)
      await writeFileAtomically(join(folder, "index.json"), after);
  });
}
