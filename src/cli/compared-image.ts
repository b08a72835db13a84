// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { ToolingError } from "../core/error.ts";
import { suggestName } from "../core/suggestion.ts";
import { type Descriptor, isDigest, type LayoutStore } from "../oci/index.ts";
import { findWorkspace, localImageName, readRunLock } from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";
import { formatImagePlace, parseImagePlace } from "./image-place.ts";
import { openStoreIfThere } from "./local-store.ts";
import { openSourcePlace, type SourcePlace } from "./open-place.ts";
import type { OpenRepositoryOptions } from "./registry-access.ts";
import { saveArchive } from "./save-archive.ts";

/** An image that is compared with another one. */
export interface ComparedImage extends Pick<SourcePlace, "source" | "root" | "close"> {
  /** Where it was found, as it can be typed again. */
  readonly place: string;
}

/**
 * Opens an image wherever it is. A name without a prefix is an image of the workspace, else one that the local store
 * has, else one of a registry.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `COMMAND_USAGE`, `REFERENCE_INVALID`, and what the place throws
 */
export async function openComparedImage(
  name: string,
  context: CommandContext,
  options: OpenRepositoryOptions,
): Promise<ComparedImage> {
  const local = await findLocal(name, context);
  if (local !== undefined) return local;
  const place = parseImagePlace(name, context.cwd);
  if (place.kind === "engine") return await openEngineImage(place, context);
  const opened = await openSourcePlace(place, context, options);
  return { ...opened, place: formatImagePlace(place) };
}

async function findLocal(name: string, context: CommandContext): Promise<ComparedImage | undefined> {
  const images = await workspaceImages(context);
  const store = await openStoreIfThere(context);
  for (const candidate of [images.get(name), name]) {
    const root = candidate === undefined ? undefined : await resolveIn(store, candidate);
    if (store === undefined || root === undefined) continue;
    return { source: store, root, place: `${candidate} in the local store`, close: async () => {} };
  }
  if (images.has(name)) throw notHere(name, "Run `toolbox build`.");
  if (isDigest(name)) throw notHere(name, "Write HOST/NAME@DIGEST for one of a registry.");
  const near = /[/:@.]/.test(name) ? undefined : suggestName(name, images.keys());
  if (near !== undefined) throw notHere(name, `Did you mean "${near}"?`);
  return undefined;
}

function notHere(name: string, hint: string): ToolingError {
  return new ToolingError("IMAGE_NOT_FOUND", `image "${name}" is not in the local store`, { hint });
}

/** What the store calls each image of the workspace. Empty where there is none. */
async function workspaceImages({ start }: CommandContext): Promise<ReadonlyMap<string, string>> {
  const workspace = await findWorkspace(start);
  if (workspace === undefined) return new Map();
  try {
    const { images, registry } = await readRunLock(workspace.lockFile);
    return new Map(Object.keys(images).map((image) => [image, localImageName(registry, image)]));
  } catch (error) {
    if (error instanceof ToolingError && error.code === "LOCK_MISSING") return new Map();
    throw error;
  }
}

async function resolveIn(store: LayoutStore | undefined, name: string): Promise<Descriptor | undefined> {
  try {
    return await store?.resolveManifest(name);
  } catch (error) {
    if (error instanceof ToolingError && error.code === "IMAGE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** Engines give no manifests out, but archives of what they have, and those can be compared layer by layer. */
async function openEngineImage(
  { engine, name }: Parameters<typeof saveArchive>[0],
  context: CommandContext,
): Promise<ComparedImage> {
  await mkdir(context.paths.cache, { recursive: true });
  const folder = await mkdtemp(join(context.paths.cache, "saved-"));
  try {
    const file = join(folder, "image.tar");
    await saveArchive({ engine, name }, file, context);
    const opened = await openSourcePlace({ kind: "docker-archive", file }, context, {});
    return { ...opened, place: `${name} of ${engine}` };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
