// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { decompress, readTar, type TarMember } from "../archive/index.ts";
import { type ContentSource, type Descriptor, parseManifest, verifyStream } from "../oci/index.ts";
import { type CachedProgram, programFolder, readProgram, storeProgram } from "./program-cache.ts";
import type { SourceContext } from "./tool-source.ts";

/** A file of an image, in the cache. */
export interface ImageFile extends CachedProgram {
  readonly mode: number;
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/**
 * Finds files as the image shows them: the topmost layer that has one gives it, unless a layer above removed it
 * (image-spec v1.1.1, layer.md#whiteouts). Layers below the last one needed are not read.
 *
 * @param digest Of the platform's manifest.
 * @returns what was found, by path
 */
export async function extractImageFiles(
  source: ContentSource,
  digest: string,
  paths: readonly string[],
  context: SourceContext,
): Promise<ReadonlyMap<string, ImageFile>> {
  const root = await source.resolveManifest(digest, context);
  const parsed = parseManifest(await source.fetchManifest(root, context), root.mediaType);
  const search: Search = { found: new Map(), missing: new Set(paths), context };
  const layers = parsed.kind === "manifest" ? parsed.manifest.layers : [];
  for (const layer of layers.toReversed()) {
    if (search.missing.size === 0) break;
    await searchLayer(source, layer, search);
  }
  return search.found;
}

interface Search {
  readonly found: Map<string, ImageFile>;
  /** Paths that lower layers may still give. */
  readonly missing: Set<string>;
  readonly context: SourceContext;
}

async function searchLayer(source: ContentSource, layer: Descriptor, search: Search): Promise<void> {
  const { found, missing, context } = search;
  const hidden: string[] = [];
  const content = verifyStream(source.openBlob(layer, context), layer, context);
  const here = new Map<string, ImageFile>();
  for await (const member of readTar(decompress(content, context), { ...context, layer: true })) {
    if (member.type === "file" && missing.has(member.path))
      here.set(member.path, await store(member, layer, context));
    else hidden.push(...hiddenBy(member));
  }
  for (const [path, file] of here) {
    found.set(path, file);
    missing.delete(path);
  }
  for (const path of missing) {
    if (hidden.some((prefix) => prefix === "" || path === prefix || path.startsWith(`${prefix}/`)))
      missing.delete(path);
  }
}

/** What of the layers below this member makes invisible. A directory only adds to what is there. */
function hiddenBy({ path, type }: TarMember): readonly string[] {
  const slash = path.lastIndexOf("/");
  const folder = path.slice(0, Math.max(0, slash));
  const name = path.slice(slash + 1);
  if (name === OPAQUE) return [folder];
  if (name.startsWith(WHITEOUT)) return [folder === "" ? name.slice(4) : `${folder}/${name.slice(4)}`];
  return type === "directory" ? [] : [path];
}

async function store(member: TarMember, layer: Descriptor, context: SourceContext): Promise<ImageFile> {
  const key = { layer: layer.digest, path: member.path };
  const folder = programFolder(join(context.cacheDir, "programs"), key);
  const program = (await readProgram(folder)) ?? (await storeProgram(member.content, folder, context));
  return { ...program, mode: member.mode & 0o755 };
}
