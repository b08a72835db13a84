// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { suggestName } from "../core/suggestion.ts";
import { formatReference, openLayoutStore, parseDigest, parseReference } from "../oci/index.ts";
import { localImageName, readRunLock, requireWorkspace } from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";

/** An image of the workspace as engines can pull it, for all platforms. */
export interface PinnedImage {
  /** For people: with its tag. */
  readonly reference: string;
  /** `REGISTRY/REPOSITORY@DIGEST`. */
  readonly pinned: string;
}

/**
 * The image that commands of the workspace run in, by digest.
 *
 * @param wish An image of the workspace. Absent: the session's, else what the lock uses.
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `SESSION_INVALID`, `WORKSPACE_NOT_FOUND`, `LOCK_MISSING`, `LOCK_INVALID`
 */
export async function pinImage(
  wish: string | undefined,
  { start, paths }: Pick<CommandContext, "start" | "paths">,
): Promise<PinnedImage> {
  const { lockFile } = await requireWorkspace(start);
  const { images, registry, session, use } = await readRunLock(lockFile);
  const name = wish ?? session?.image;
  if (name === undefined) {
    if (use !== undefined) return pin(use.reference, use.digest);
    throw new ToolingError("SESSION_INVALID", `"${lockFile}" names no image to run in`, {
      hint: "Name one with --image, or write `use:` into toolbox.yaml and run `toolbox lock`.",
    });
  }
  if (!Object.hasOwn(images, name)) {
    const near = suggestName(name, Object.keys(images));
    throw new ToolingError("IMAGE_NOT_FOUND", `image "${name}" is not an image of this workspace`, {
      hint: near === undefined ? `There is: ${Object.keys(images).join(", ")}.` : `Did you mean "${near}"?`,
    });
  }
  if (registry === undefined) {
    throw new ToolingError("IMAGE_NOT_FOUND", `image "${name}" has no place that others could pull it from`, {
      hint: "Write `registry:` into toolbox.yaml, then run `toolbox lock` and `toolbox publish`.",
    });
  }
  const reference = localImageName(registry, name);
  const store = await openLayoutStore(paths.store);
  const { digest } = await store.resolveManifest(reference).catch((cause: unknown) => {
    throw new ToolingError("IMAGE_NOT_FOUND", `image "${reference}" is not built on this machine`, {
      hint: "Run `toolbox build`, then `toolbox publish`.",
      cause,
    });
  });
  return pin(reference, digest);
}

function pin(reference: string, digest: string): PinnedImage {
  const { registry, repository } = parseReference(reference);
  return { reference, pinned: formatReference({ registry, repository, digest: parseDigest(digest) }) };
}
