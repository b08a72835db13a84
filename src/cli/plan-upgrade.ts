// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import { type Platform, PLATFORMS } from "../core/platform.ts";
import {
  type ContentSource,
  type Descriptor,
  type LayoutStore,
  parseDigest,
  parseManifest,
  type ParsedManifest,
} from "../oci/index.ts";
import type { RegistryRepository } from "../registry/client/index.ts";
import type { LockedUse } from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";
import { findReleases } from "./find-releases.ts";
import { type ImageToolLine, listTools } from "./image-tools.ts";
import { openStoreIfThere } from "./local-store.ts";
import { childFor, platformDigests } from "./platform-digests.ts";
import { openRepository } from "./registry-access.ts";
import { hostPlatform } from "./choose-image.ts";
import { diffTools, type ImageNews } from "./tool-changes.ts";
import { readUpgradeWish } from "./upgrade-wish.ts";

/** What is to be moved, and where to. */
export interface UpgradeRequest {
  readonly use: LockedUse;
  /** What the workspace is for; an image need not have all of them. */
  readonly platforms: readonly Platform[];
  /** Tag or digest. Absent: what the tag of the reference stands for now. */
  readonly to?: string | undefined;
}

/** One end of an upgrade. */
export interface UpgradeEnd {
  readonly digest: string;
  /** The newest release tag with this digest. Absent: none has it, or none was looked at. */
  readonly release?: string | undefined;
}

/** What an upgrade is going to do: data, made without changing anything. */
export interface UpgradePlan extends ImageNews {
  /** As toolbox.lock has it. */
  readonly reference: string;
  readonly from: UpgradeEnd;
  readonly to: UpgradeEnd;
  /** What toolbox.lock is to hold. */
  readonly use: LockedUse;
  readonly changed: boolean;
  /** toolbox.yaml names the digest, so that it has to be told where to go. */
  readonly isHeld: boolean;
  /** Release tags above {@link to}, newest first. */
  readonly newer: readonly string[];
}

/**
 * Finds out where a used image would move to and what that would bring. Reads documents of the registry and asks the
 * local store what it has; no layer is fetched.
 *
 * @throws {ToolingError} `COMMAND_USAGE`, `IMAGE_NOT_FOUND`, `PLATFORM_UNAVAILABLE` (a platform that is pinned now would
 * be lost), and what the registry throws
 */
export async function planUpgrade(
  { use, platforms: wished, to }: UpgradeRequest,
  context: CommandContext,
  { signal }: OperationOptions = {},
): Promise<UpgradePlan> {
  const wish = readUpgradeWish(use.reference, to);
  const repository = await openRepository(use.reference, context);
  const root = await repository.resolveManifest(wish.wanted, { signal });
  const reference = wish.isHeld ? use.reference : wish.referenceFor(root.digest);
  const releases = await findReleases(
    repository,
    { wanted: wish.wanted, root, pinned: use.digest },
    { signal },
  );
  const ends = {
    reference: use.reference,
    from: { digest: use.digest, release: releases.from },
    to: { digest: root.digest, release: releases.to },
    newer: releases.newer,
    isHeld: wish.isHeld,
  };
  if (root.digest === use.digest) {
    const changed = reference !== use.reference;
    return { ...ends, use: { ...use, reference }, changed, releases: 0, tools: [], download: 0 };
  }
  const store = await openStoreIfThere(context);
  const after = await readFacts(repository, root, use.reference, { signal });
  const platforms = platformDigests(root, after.document, wished);
  requirePlatforms(use, platforms, wish.wanted);
  const before = await readPinned(use, { store, repository }, { signal });
  return {
    ...ends,
    use: { reference, digest: root.digest, platforms },
    changed: !wish.isHeld,
    releases: releases.between,
    tools: before?.tools && after.tools && diffTools(before.tools, after.tools),
    download: await measureDownload(after.blobs, before?.blobs ?? [], store),
  };
}

/** What is read of an image without a layer. */
interface ImageFacts {
  readonly document: ParsedManifest;
  readonly tools: readonly ImageToolLine[] | undefined;
  /** Config and layers of this machine's platform; none when the image is not there for it. */
  readonly blobs: readonly Descriptor[];
}

async function readFacts(
  source: ContentSource,
  root: Descriptor,
  reference: string,
  options: OperationOptions,
): Promise<ImageFacts> {
  const document = parseManifest(await source.fetchManifest(root, options), root.mediaType);
  const tools = listTools(document, reference);
  if (document.kind === "manifest") return { document, tools, blobs: blobsOf(document) };
  const child = childFor(document.index.manifests, hostPlatform());
  if (child === undefined) return { document, tools, blobs: [] };
  const manifest = parseManifest(await source.fetchManifest(child, options), child.mediaType);
  return { document, tools: tools ?? listTools(manifest, reference), blobs: blobsOf(manifest) };
}

function blobsOf(document: ParsedManifest): readonly Descriptor[] {
  return document.kind === "index" ? [] : [document.manifest.config, ...document.manifest.layers];
}

/** The image that is pinned: out of the store, else the registry. Absent: neither has it any more. */
async function readPinned(
  { digest, reference }: LockedUse,
  { store, repository }: { readonly store: LayoutStore | undefined; readonly repository: RegistryRepository },
  options: OperationOptions,
): Promise<ImageFacts | undefined> {
  for (const source of [store, repository]) {
    if (source === undefined) continue;
    try {
      const root = await source.resolveManifest(parseDigest(digest), options);
      return await readFacts(source, root, reference, options);
    } catch (error) {
      // A store may hold the index without the manifest that is asked for, and a registry may have cleaned up.
      if (!(error instanceof ToolingError) || error.code !== "IMAGE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

/** What neither the pinned image nor the store has; the pinned one is what the engine has run so far. */
async function measureDownload(
  after: readonly Descriptor[],
  before: readonly Descriptor[],
  store: LayoutStore | undefined,
): Promise<number> {
  const known = new Set(before.map(({ digest }) => digest));
  let bytes = 0;
  for (const blob of after) {
    if (known.has(blob.digest) || (await store?.hasBlob(blob)) === true) continue;
    known.add(blob.digest);
    bytes += blob.size;
  }
  return bytes;
}

/** Somebody else's machine must not lose its image by an upgrade on this one. */
function requirePlatforms({ platforms }: LockedUse, found: LockedUse["platforms"], wanted: string): void {
  const lost = PLATFORMS.find(
    (platform) => platforms[platform] !== undefined && found[platform] === undefined,
  );
  if (lost === undefined) return;
  throw new ToolingError(
    "PLATFORM_UNAVAILABLE",
    `"${wanted}" is not there for ${lost}, which is pinned now`,
    {
      hint: "Choose another tag with --to, or ask whoever published it.",
    },
  );
}
