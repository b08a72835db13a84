// SPDX-License-Identifier: Apache-2.0
import { realpathSync } from "node:fs";
import { ToolingError } from "../core/error.ts";
import type { Platform } from "../core/platform.ts";
import { suggestName } from "../core/suggestion.ts";
import { type ManifestSource, parseDigest, parseReference } from "../oci/index.ts";
import type { SessionImage } from "../session/index.ts";
import {
  findWorkspace,
  localImageName,
  readRunLock,
  requireWorkspace,
  type LockedUse,
  type RunLock,
} from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";
import type { UsedImage } from "./freshness-notice.ts";

/** The image of a run, and what of the workspace goes with it. */
export interface ChosenImage {
  readonly image: SessionImage;
  /** Absent: there is no workspace. */
  readonly lock?: RunLock | undefined;
  readonly folder?: string | undefined;
  /** Of an image that the workspace builds. Absent: what is in it is not known. */
  readonly name?: string | undefined;
  /** Absent: it is another image than the one that the lock uses. */
  readonly used?: UsedImage | undefined;
}

/**
 * The image that a command runs in.
 *
 * @param wish An image of the workspace, or any reference. Absent: what the lock's session says, else what it uses.
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `SESSION_INVALID`, `WORKSPACE_NOT_FOUND`, `LOCK_MISSING`, `LOCK_INVALID`,
 * and what the registry throws
 */
export async function chooseImage(
  wish: string | undefined,
  store: ManifestSource,
  context: CommandContext,
): Promise<ChosenImage> {
  const place =
    wish === undefined ? await requireWorkspace(context.start) : await findWorkspace(context.start);
  if (place === undefined)
    return { image: await namedImage(wish ?? "", store, { context, lock: undefined }) };
  const lock = await readRunLockFor(place.lockFile, wish);
  const folder = realpathSync.native(place.folder);
  const name = wish ?? lock?.session?.image;
  if (name !== undefined && lock !== undefined && Object.hasOwn(lock.images, name)) {
    return { image: await builtImage(localImageName(lock.registry, name), store), lock, folder, name };
  }
  if (wish !== undefined) return { image: await namedImage(wish, store, { context, lock }), lock, folder };
  return { ...usedImage(lock?.use, { folder, lockFile: place.lockFile }), lock, folder };
}

function usedImage(
  use: LockedUse | undefined,
  { folder, lockFile }: { readonly folder: string; readonly lockFile: string },
): Required<Pick<ChosenImage, "image" | "used">> {
  if (use === undefined) throw noImage(lockFile);
  const platform = hostPlatform();
  const digest = parseDigest(use.platforms[platform] ?? use.digest);
  return { image: { reference: use.reference, digest, platform }, used: { folder, use } };
}

/** With an image named on the command line, a workspace without a lock is as good as none. */
async function readRunLockFor(file: string, wish: string | undefined): Promise<RunLock | undefined> {
  try {
    return await readRunLock(file);
  } catch (error) {
    if (wish !== undefined && error instanceof ToolingError && error.code === "LOCK_MISSING")
      return undefined;
    throw error;
  }
}

async function builtImage(reference: string, store: ManifestSource): Promise<SessionImage> {
  try {
    return { digest: (await store.resolveManifest(reference)).digest, platform: hostPlatform() };
  } catch (error) {
    if (!(error instanceof ToolingError) || error.code !== "IMAGE_NOT_FOUND") throw error;
    throw new ToolingError("IMAGE_NOT_FOUND", `image "${reference}" is not built on this machine`, {
      hint: "Run `toolbox build`, or name a published image with `use:` in toolbox.yaml.",
      cause: error,
    });
  }
}

/** Any reference: the store's, else the registry's. A tag is resolved once; the digest is what runs. */
async function namedImage(
  reference: string,
  store: ManifestSource,
  { context, lock }: { readonly context: CommandContext; readonly lock: RunLock | undefined },
): Promise<SessionImage> {
  const platform = hostPlatform();
  const known = await store.resolveManifest(reference).catch(() => undefined);
  if (known !== undefined) return { digest: known.digest, platform };
  if (!/[/:@.]/.test(reference)) {
    const near = suggestName(reference, Object.keys(lock?.images ?? {}));
    throw new ToolingError("IMAGE_NOT_FOUND", `image "${reference}" is not an image of this workspace`, {
      hint:
        near === undefined ? "Write a whole reference, such as HOST/NAME:TAG." : `Did you mean "${near}"?`,
    });
  }
  const parsed = parseReference(reference);
  const { openRepository } = await import("./registry-access.ts");
  const repository = await openRepository(reference, context);
  const { digest } = await repository.resolveManifest(parsed.digest ?? parsed.tag ?? "latest", {
    signal: context.signal,
  });
  return { reference, digest, platform };
}

function noImage(lockFile: string): ToolingError {
  return new ToolingError("SESSION_INVALID", `"${lockFile}" names no image to run in`, {
    hint: "Write `use:` or `images:` into toolbox.yaml, then run `toolbox lock`.",
    position: { file: lockFile, line: 1, column: 1 },
  });
}

/** The platform whose programs this machine runs. */
export function hostPlatform(): Platform {
  return process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
}
