// SPDX-License-Identifier: Apache-2.0
import type { ToolDefinition } from "../catalog/index.ts";
import { type CheckedTool, type CheckPlan, planChecks } from "../checks/index.ts";
import { collectBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { isPlatform, type Platform, PLATFORMS } from "../core/platform.ts";
import { suggestName } from "../core/suggestion.ts";
import {
  type ContentSource,
  type Digest,
  type LayoutStore,
  MANIFEST_LIMIT,
  parseDigest,
  type ParsedManifest,
  parseImageConfig,
  parseManifest,
  verifyStream,
} from "../oci/index.ts";
import type { SessionImage } from "../session/index.ts";
import { findWorkspace, type Lockfile, type LockedUse } from "../workspace/index.ts";
import { type ChosenImage, chooseImage } from "./choose-image.ts";
import type { CommandContext } from "./command.ts";
import { listTools } from "./image-tools.ts";
import { openRepository } from "./registry-access.ts";
import { loadShippedCatalog, readWorkspaceFiles } from "./workspace-files.ts";

/** One platform of an image, and what to run in it. */
export interface CheckedImage extends CheckPlan {
  /** As it was asked for. */
  readonly name: string;
  readonly image: SessionImage;
}

/** Which checks are wanted. */
export interface CheckSelection {
  /** Images of the workspace, or any references. Empty: all that the workspace builds, else the one that it uses. */
  readonly images: readonly string[];
  /** Absent: all that an image has. */
  readonly platforms: readonly Platform[] | undefined;
  /** Absent: all that an image has. */
  readonly tools: readonly string[] | undefined;
}

/**
 * Finds the images, asks them which tools they hold, and plans the checks. No layer is pulled.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `PLATFORM_UNAVAILABLE`, `TOOL_UNKNOWN`, `MANIFEST_INVALID`,
 * `WORKSPACE_NOT_FOUND`, `LOCK_MISSING`, and what the registry throws
 */
export async function findCheckedImages(
  { images, platforms, tools }: CheckSelection,
  store: LayoutStore,
  context: CommandContext,
): Promise<readonly CheckedImage[]> {
  const knowledge = await readKnowledge(context);
  const built = Object.keys(knowledge.lock?.images ?? {});
  const names = images.length > 0 ? images : built.length > 0 ? built : [undefined];
  const found: CheckedImage[] = [];
  for (const name of names) {
    const chosen = await chooseImage(name, store, context);
    const content = await readContent(chosen, { knowledge, store, context });
    const shown = name ?? chosen.image.reference ?? chosen.image.digest;
    for (const platform of choosePlatforms(shown, content, platforms)) {
      const image = {
        ...chosen.image,
        platform,
        digest: content.digests.get(platform) ?? chosen.image.digest,
      };
      found.push({ name: shown, image, ...planChecks(content.tools) });
    }
  }
  return tools === undefined ? found : keepTools(found, tools);
}

/** What is known of tools here: by the catalog, and by the workspace if there is one. */
interface Knowledge {
  readonly definitions: ReadonlyMap<string, ToolDefinition>;
  /** Absent: there is no workspace, or it is not locked. */
  readonly lock: Lockfile | undefined;
}

async function readKnowledge(context: CommandContext): Promise<Knowledge> {
  const catalog = await loadShippedCatalog();
  if ((await findWorkspace(context.start)) === undefined) return { definitions: catalog, lock: undefined };
  const { workspace, lock } = await readWorkspaceFiles(context);
  const own = [...workspace.tools].map(([name, { definition }]) => [name, definition] as const);
  return { definitions: new Map([...catalog, ...own]), lock };
}

interface ImageContent {
  readonly tools: readonly CheckedTool[];
  /** Of each platform's manifest. */
  readonly digests: ReadonlyMap<Platform, Digest>;
}

interface ContentContext {
  readonly knowledge: Knowledge;
  readonly store: LayoutStore;
  readonly context: CommandContext;
}

async function readContent(
  { image, name, used, lock }: ChosenImage,
  { knowledge, store, context }: ContentContext,
): Promise<ImageContent> {
  const digest = used === undefined || lock?.use === undefined ? image.digest : parseDigest(lock.use.digest);
  const { source, document } = await readDocument({ ...image, digest }, store, context);
  const digests =
    used === undefined || lock?.use === undefined
      ? await listDigests(document, digest, source)
      : lockedDigests(lock.use);
  if (name !== undefined && knowledge.lock !== undefined)
    return { tools: lockedTools(name, knowledge.lock, knowledge), digests };
  const reference = image.reference ?? image.digest;
  const listed = listTools(document, reference);
  if (listed === undefined) {
    throw new ToolingError("MANIFEST_INVALID", `image "${reference}" does not say which tools it holds`, {
      hint: "Only images made by toolbox do.",
    });
  }
  const tools = listed.map((tool) => ({
    name: tool.name,
    version: tool.version,
    definition: knowledge.definitions.get(tool.name),
  }));
  return { tools, digests };
}

function lockedTools(name: string, { images, tools }: Lockfile, { definitions }: Knowledge): CheckedTool[] {
  return (images[name]?.tools ?? []).flatMap((tool) => {
    const locked = tools[tool];
    if (locked === undefined) return [];
    const { version, about } = locked;
    const { tests } = definitions.get(tool) ?? {};
    return [{ name: tool, version, definition: { binaries: about.binaries, version: about.version, tests } }];
  });
}

async function readDocument(
  { reference, digest }: SessionImage,
  store: LayoutStore,
  context: CommandContext,
): Promise<{ readonly source: ContentSource; readonly document: ParsedManifest }> {
  const { signal } = context;
  const known = await store.resolveManifest(digest).catch(() => undefined);
  const source = known === undefined ? await openRepository(reference ?? digest, context) : store;
  const descriptor = known ?? (await source.resolveManifest(digest, { signal }));
  const bytes = await source.fetchManifest(descriptor, { signal });
  return { source, document: parseManifest(bytes, descriptor.mediaType) };
}

/** Engines that hold one platform under a name must be given the digest of each. */
async function listDigests(
  document: ParsedManifest,
  digest: Digest,
  source: ContentSource,
): Promise<ReadonlyMap<Platform, Digest>> {
  const digests = new Map<Platform, Digest>();
  if (document.kind === "index") {
    for (const child of document.index.manifests) {
      const name = `${child.platform?.os}/${child.platform?.architecture}`;
      if (isPlatform(name) && !digests.has(name)) digests.set(name, child.digest);
    }
    return digests;
  }
  const { config, layers } = document.manifest;
  const bytes = await collectBytes(verifyStream(source.openBlob(config), config), { limit: MANIFEST_LIMIT });
  const { os, architecture } = parseImageConfig(bytes, { layers: layers.length });
  const name = `${os}/${architecture}`;
  return isPlatform(name) ? digests.set(name, digest) : digests;
}

function lockedDigests({ platforms }: LockedUse): ReadonlyMap<Platform, Digest> {
  const entries = PLATFORMS.flatMap((platform) => {
    const digest = platforms[platform];
    return digest === undefined ? [] : [[platform, parseDigest(digest)] as const];
  });
  return new Map(entries);
}

function choosePlatforms(
  image: string,
  { digests }: ImageContent,
  wanted: readonly Platform[] | undefined,
): readonly Platform[] {
  const missing = wanted?.find((platform) => !digests.has(platform));
  if (missing === undefined && digests.size > 0)
    return PLATFORMS.filter((platform) => digests.has(platform) && (wanted?.includes(platform) ?? true));
  const has = digests.size === 0 ? "another platform" : [...digests.keys()].join(", ");
  throw new ToolingError("PLATFORM_UNAVAILABLE", `image "${image}" has nothing for ${missing ?? "linux"}`, {
    hint: `It is for ${has}.`,
  });
}

function keepTools(images: readonly CheckedImage[], tools: readonly string[]): CheckedImage[] {
  const known = new Set(
    images.flatMap(({ checks, unknown }) => [...checks.map(({ tool }) => tool), ...unknown]),
  );
  const stray = tools.find((tool) => !known.has(tool));
  if (stray !== undefined) {
    const near = suggestName(stray, known);
    throw new ToolingError("TOOL_UNKNOWN", `tool "${stray}" is in none of these images`, {
      hint: near === undefined ? `There is: ${[...known].join(", ")}.` : `Did you mean "${near}"?`,
    });
  }
  return images.map((image) => ({
    ...image,
    checks: image.checks.filter(({ tool }) => tools.includes(tool)),
    unknown: image.unknown.filter((tool) => tools.includes(tool)),
  }));
}
