// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError, ToolingError } from "../core/error.ts";
import {
  type ContentSink,
  type ContentSource,
  type Descriptor,
  findCosignTags,
  formatReference,
  identityOf,
  type LayoutStore,
  listLayoutReferrers,
  type ListReferrersOf,
  openLayoutStore,
  parseManifest,
  type PlanCopyOptions,
  readDockerArchive,
  REF_NAME,
  selectPlatform,
} from "../oci/index.ts";
import type { RegistryRepository } from "../registry/client/index.ts";
import type { CommandContext } from "./command.ts";
import { formatImagePlace, type ImagePlace } from "./image-place.ts";
import { openRepository, type OpenRepositoryOptions, wantedOf } from "./registry-access.ts";

/** A place that an image is read from. */
export interface SourcePlace {
  readonly source: ContentSource;
  /** What the name stands for now. */
  readonly root: Descriptor;
  readonly listReferrers: ListReferrersOf;
  /** A name for the image elsewhere, with a tag. Absent: it has none. */
  readonly name?: string | undefined;
  /** Absent: it is not in a registry. */
  readonly repository?: RegistryRepository | undefined;
  /** Removes what was unpacked on the way. */
  close(): Promise<void>;
}

/**
 * Opens a place to read an image from.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `POLICY_REFUSED` for stores of engines, and what the place throws
 */
export async function openSourcePlace(
  place: ImagePlace,
  context: CommandContext,
  options: OpenRepositoryOptions,
): Promise<SourcePlace> {
  switch (place.kind) {
    case "registry":
      return await openRegistrySource(place, context, options);
    case "oci": {
      const store = await openLayoutStore(place.folder, { create: false });
      return layoutSource(store, await findInLayout(store, place), place.name);
    }
    case "docker-archive":
      return await openArchiveSource(place, context);
    case "engine":
      throw new ToolingError("POLICY_REFUSED", `"${formatImagePlace(place)}" cannot be copied from`, {
        hint: `${place.engine} does not keep the bytes of manifests, so digests would change: copy from the registry, or save to a file and use docker-archive:FILE.`,
      });
  }
}

/** Of an index the manifest for a platform, else the document itself. */
export async function choosePlatform(
  { source, root }: Pick<SourcePlace, "source" | "root">,
  platform: string | undefined,
  { signal }: Pick<CommandContext, "signal">,
): Promise<Descriptor> {
  if (platform === undefined) return root;
  const parsed = parseManifest(await source.fetchManifest(root, { signal }), root.mediaType);
  return parsed.kind === "index" ? identityOf(selectPlatform(parsed.index, platform)) : root;
}

/** How a copy finds what is about the image at its source, in each of the ways that there are. */
export function aboutImages({
  listReferrers,
  source,
}: Pick<SourcePlace, "listReferrers" | "source">): Pick<PlanCopyOptions, "findTagged" | "listReferrers"> {
  return {
    listReferrers,
    findTagged: async (subject, options) => findCosignTags(source, subject, options),
  };
}

/** A store that an image is copied to. */
export interface TargetPlace {
  readonly sink: ContentSink & ContentSource;
  /** Absent: the copy is known by its digest only. */
  readonly tag?: string | undefined;
  readonly repository?: RegistryRepository | undefined;
  /** Lists what no name leads to, so that it is found and stays. */
  keep(descriptors: readonly Descriptor[]): Promise<void>;
}

/** Opens a registry or a layout to copy to. */
export async function openTargetPlace(
  place: Extract<ImagePlace, { kind: "registry" | "oci" }>,
  context: CommandContext,
  options: OpenRepositoryOptions,
): Promise<TargetPlace> {
  if (place.kind === "oci") {
    const store = await openLayoutStore(place.folder);
    const keep = async (descriptors: readonly Descriptor[]): Promise<void> => {
      for (const descriptor of descriptors) await store.addRoot(descriptor);
    };
    return { sink: store, tag: place.name, keep };
  }
  const { tag, digest } = place.reference;
  const repository = await openRepository(place.reference, context, options);
  return {
    sink: repository,
    tag: tag ?? (digest === undefined ? "latest" : undefined),
    repository,
    keep: async () => {},
  };
}

async function openRegistrySource(
  { reference }: Extract<ImagePlace, { kind: "registry" }>,
  context: CommandContext,
  options: OpenRepositoryOptions,
): Promise<SourcePlace> {
  const repository = await openRepository(reference, context, options);
  const root = await repository.resolveManifest(wantedOf(reference), { signal: context.signal });
  const { registry, repository: name, tag, digest } = reference;
  const named = tag ?? (digest === undefined ? "latest" : undefined);
  return {
    source: repository,
    root: identityOf(root),
    listReferrers: async (subject, options) => repository.listReferrers(subject, options),
    name: named === undefined ? undefined : formatReference({ registry, repository: name, tag: named }),
    repository,
    close: async () => {},
  };
}

function layoutSource(store: LayoutStore, root: Descriptor, name: string | undefined): SourcePlace {
  return {
    source: store,
    root: identityOf(root),
    listReferrers: async (subject) => listLayoutReferrers(store, subject),
    name: name?.includes("/") === true ? name : undefined,
    close: async () => {},
  };
}

async function findInLayout(
  store: LayoutStore,
  place: Extract<ImagePlace, { kind: "oci" }>,
): Promise<Descriptor> {
  if (place.name !== undefined) return await store.resolveManifest(place.name);
  const roots = await store.listRoots();
  const digests = new Set(roots.map(({ digest }) => digest));
  const [root] = roots;
  if (root !== undefined && digests.size === 1) return root;
  const names = roots.map(({ digest, annotations }) => annotations?.[REF_NAME] ?? digest);
  throw new ToolingError("IMAGE_NOT_FOUND", `layout "${place.folder}" holds ${digests.size} images`, {
    hint: names.length === 0 ? "Check the path." : `Name one: oci:DIR:NAME with ${names.join(", ")}.`,
  });
}

async function openArchiveSource(
  place: Extract<ImagePlace, { kind: "docker-archive" }>,
  { paths, signal }: CommandContext,
): Promise<SourcePlace> {
  await mkdir(paths.cache, { recursive: true });
  const folder = await mkdtemp(join(paths.cache, "archive-"));
  const close = async (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const store = await openLayoutStore(folder);
    const { decompress } = await import("../archive/index.ts");
    const images = await readDockerArchive(decompress(createReadStream(place.file)), store, { signal });
    const image = images.find(
      ({ references }) => place.name === undefined || references.includes(place.name),
    );
    if (image === undefined || (place.name === undefined && images.length > 1)) {
      const names = images.flatMap(({ references }) => references);
      throw new ToolingError("IMAGE_NOT_FOUND", `archive "${place.file}" holds ${images.length} images`, {
        hint:
          names.length === 0
            ? "Check the path."
            : `Name one: docker-archive:FILE:REF with ${names.join(", ")}.`,
      });
    }
    const name = place.name ?? image.references[0];
    return { ...layoutSource(store, image.descriptor, name), close };
  } catch (error) {
    await close();
    if (!isSystemError(error, "ENOENT", "EACCES", "EISDIR")) throw error;
    throw new ToolingError("FILE_UNREADABLE", `"${place.file}" cannot be read (${error.code})`, {
      hint: "Check the path.",
      cause: error,
    });
  }
}
