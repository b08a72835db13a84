// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, type FileEntry, sortEntries } from "../archive/index.ts";
import {
  bareVersion,
  type ImageSourceDefinition,
  isExactVersion,
  type LockedImage,
} from "../catalog/index.ts";
import { collectBytes, type LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { readFileContent } from "../core/file-content.ts";
import type { Platform } from "../core/platform.ts";
import {
  type ContentSource,
  type Descriptor,
  matchesPlatform,
  parseImageConfig,
  parseManifest,
  parseReference,
  selectPlatform,
  verifyStream,
} from "../oci/index.ts";
import { extractImageFiles } from "./image-files.ts";
import type { LockedSource, SourceContext, SourceTool, ToolSource, VersionWish } from "./tool-source.ts";
import { fillTemplate, versionValues } from "./version-template.ts";

const MOST_CONFIG_BYTES = 8 * 1024 * 1024;

/** Takes files out of another OCI image, by the digest that its tag had when it was locked. */
export const imageSource: ToolSource<ImageSourceDefinition, LockedImage> = {
  kind: "image",
  // Tags are names, not versions: an exact one is asked for.
  listVersions: async () => [],
  lockTool,
  materializeTool,
};

async function lockTool(
  definition: ImageSourceDefinition,
  tool: SourceTool,
  { range }: VersionWish,
  context: SourceContext,
): Promise<LockedSource> {
  const values = isExactVersion(range) ? versionValues(bareVersion(range)) : {};
  const reference = fillTemplate(definition.reference, values);
  if (reference === undefined) {
    throw new ToolingError(
      "VERSION_NOT_FOUND",
      `image "${definition.reference}" needs an exact version, not "${range}"`,
      {
        hint: `Wish for tool "${tool.name}" by its exact version, such as "1.2.3".`,
      },
    );
  }
  const source = await openImage(reference, context);
  const { tag, digest } = parseReference(reference);
  const root = await source.resolveManifest(digest ?? tag ?? "latest", context);
  const platforms: Partial<Record<Platform, LockedImage>> = {};
  for (const platform of context.platforms) {
    const manifest = await choosePlatform(source, root, platform, context);
    platforms[platform] = { source: "image", reference, digest: manifest.digest, paths: definition.paths };
  }
  return { version: versionOf(range, tag, root), platforms };
}

async function materializeTool(
  locked: LockedImage,
  _platform: Platform,
  context: SourceContext,
): Promise<readonly ArchiveEntry[]> {
  const source = await openImage(locked.reference, context);
  const wanted = locked.paths.map(({ from }) => from);
  const files = await extractImageFiles(source, locked.digest, wanted, context);
  return sortEntries(
    locked.paths.map(({ from, to }): FileEntry => {
      const file = files.get(from);
      if (file === undefined) throw notInside(from, locked.reference);
      const open = (): LentBytes => readFileContent(file.path);
      return { type: "file", path: to, mode: file.mode, uid: 0, gid: 0, size: file.size, open };
    }),
  );
}

async function openImage(reference: string, context: SourceContext): Promise<ContentSource> {
  if (context.openImage !== undefined) return await context.openImage(reference, context);
  throw new ToolingError("IMAGE_NOT_FOUND", `image "${reference}" cannot be read here`, {
    hint: "Choose another source for the tool.",
  });
}

/** The manifest for a platform; an image that is no index says in its config what it is for. */
async function choosePlatform(
  source: ContentSource,
  root: Descriptor,
  platform: Platform,
  context: SourceContext,
): Promise<Descriptor> {
  const parsed = parseManifest(await source.fetchManifest(root, context), root.mediaType);
  if (parsed.kind === "index") return selectPlatform(parsed.index, platform);
  const { config } = parsed.manifest;
  const bytes = await collectBytes(verifyStream(source.openBlob(config, context), config), {
    limit: MOST_CONFIG_BYTES,
  });
  const { os, architecture } = parseImageConfig(bytes);
  if (matchesPlatform({ os, architecture }, platform)) return root;
  throw new ToolingError(
    "PLATFORM_UNAVAILABLE",
    `image is for "${os}/${architecture}" and not for "${platform}"`,
    {
      hint: "Choose an image that is there for all platforms, or leave that platform out.",
    },
  );
}

function versionOf(range: string, tag: string | undefined, root: Descriptor): string {
  if (isExactVersion(range)) return bareVersion(range);
  if (tag !== undefined && /^v?\d+(?:\.\d+)*(?:[-+].*)?$/.test(tag)) return bareVersion(tag);
  return `0.0.0+${root.digest.split(":")[1]?.slice(0, 12) ?? ""}`;
}

function notInside(path: string, reference: string): ToolingError {
  return new ToolingError("FILE_NOT_FOUND", `"${path}" is not a file in image "${reference}"`, {
    hint: 'Correct "paths" in the definition of the tool; name the file itself, not a link to it.',
  });
}
