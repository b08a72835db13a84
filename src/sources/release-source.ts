// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { type ArchiveEntry, sortEntries } from "../archive/index.ts";
import {
  bareVersion,
  compareVersions,
  isExactVersion,
  type LockedRelease,
  type ReleaseArchive,
  type ReleaseSourceDefinition,
  selectVersion,
} from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import { architectureOf, type Platform } from "../core/platform.ts";
import type { FetchedFile } from "./fetch-file.ts";
import { installedProgram } from "./installed-program.ts";
import { extractPrograms } from "./release-archive.ts";
import { parseChecksums, parseReleaseVersions } from "./release-document.ts";
import type { LockedSource, SourceContext, SourceTool, ToolSource, VersionWish } from "./tool-source.ts";
import { fillTemplate, versionValues } from "./version-template.ts";

const MOST_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** Fetches what the project itself publishes, checked against its checksum file when it is locked. */
export const releaseSource: ToolSource<ReleaseSourceDefinition, LockedRelease> = {
  kind: "release",
  listVersions: async (definition, _tool, context) => await listVersions(definition, context),
  lockTool,
  materializeTool: async (locked, _platform, context): Promise<readonly ArchiveEntry[]> => {
    const programs = await extractPrograms(locked, await fetchLocked(locked, context), context);
    return sortEntries(programs.map(({ name, path, size }) => installedProgram(name, path, size)));
  },
};

async function listVersions(
  { versions }: ReleaseSourceDefinition,
  context: SourceContext,
): Promise<readonly string[]> {
  const text = await fetchDocument(versions.url, "list of releases", context);
  return parseReleaseVersions(text, versions).toSorted(compareVersions);
}

async function lockTool(
  definition: ReleaseSourceDefinition,
  tool: SourceTool,
  { range }: VersionWish,
  context: SourceContext,
): Promise<LockedSource> {
  const version = await chooseVersion(definition, tool, range, context);
  const platforms: Partial<Record<Platform, LockedRelease>> = {};
  for (const platform of context.platforms) {
    try {
      platforms[platform] = await lockPlatform(definition, tool, { version, platform }, context);
    } catch (error) {
      if (!(error instanceof ToolingError) || error.code !== "FILE_NOT_FOUND") throw error;
      throw unavailable(tool, version, platform, Object.keys(platforms).length > 0, error);
    }
  }
  return { version, platforms };
}

async function chooseVersion(
  definition: ReleaseSourceDefinition,
  tool: SourceTool,
  range: string,
  context: SourceContext,
): Promise<string> {
  if (isExactVersion(range)) return bareVersion(range);
  const versions = await listVersions(definition, context);
  const version = selectVersion(versions, range);
  if (version !== undefined) return version;
  throw new ToolingError("VERSION_NOT_FOUND", `tool "${tool.name}" has no release in "${range}"`, {
    hint: `Releases there are: ${versions.slice(0, 8).join(", ") || "none that are listed"}. Older ones need an exact version.`,
  });
}

async function lockPlatform(
  definition: ReleaseSourceDefinition,
  tool: SourceTool,
  { version, platform }: { readonly version: string; readonly platform: Platform },
  context: SourceContext,
): Promise<LockedRelease> {
  const values = { ...versionValues(version), os: "linux", arch: architectureName(definition, platform) };
  const fill = (template: string): string => fillTemplate(template, values) ?? template;
  const url = fill(definition.url);
  const name = fileNameOf(url);
  const sha256 = await findChecksum(definition, { name, fill }, context);
  if (sha256 === undefined) {
    const note = `"${name}" has no published checksum; what is fetched now is what counts from now on`;
    context.onProgress?.({ type: "noted", what: `lock ${tool.name}`, note });
  }
  const file = await context.fetchFile({ url: context.mirrors.releaseAddress(url), name, sha256 }, context);
  const [main = tool.name] = tool.binaries;
  const binaries = definition.binaries ?? { [main]: main };
  const locked: LockedRelease = {
    source: "release",
    url,
    file: { name, sha256: file.sha256, size: file.size },
    archive: definition.archive ?? archiveOf(name),
    binaries: Object.fromEntries(Object.entries(binaries).map(([binary, path]) => [binary, fill(path)])),
  };
  await extractPrograms(locked, file, context);
  return locked;
}

async function findChecksum(
  { checksums }: ReleaseSourceDefinition,
  { name, fill }: { readonly name: string; readonly fill: (template: string) => string },
  context: SourceContext,
): Promise<string | undefined> {
  if (checksums === undefined) return undefined;
  const text = await fetchDocument(fill(checksums.url), `checksums of ${name}`, context);
  const sha256 = parseChecksums(text, name, checksums.format ?? "sha256sum");
  if (sha256 !== undefined) return sha256;
  throw new ToolingError("CHECKSUM_MISMATCH", `"${name}" is not in the checksum file of its release`, {
    hint: "Report it to the project, or correct the definition of the tool.",
  });
}

async function fetchLocked({ url, file }: LockedRelease, context: SourceContext): Promise<FetchedFile> {
  return await context.fetchFile({ url: context.mirrors.releaseAddress(url), ...file }, context);
}

async function fetchDocument(url: string, name: string, context: SourceContext): Promise<string> {
  const address = context.mirrors.releaseAddress(url);
  const file = await context.fetchFile({ url: address, name, maxSize: MOST_DOCUMENT_BYTES }, context);
  return await readFile(file.path, "utf8");
}

function architectureName({ architectures }: ReleaseSourceDefinition, platform: Platform): string {
  const architecture = architectureOf(platform);
  return architectures?.[architecture] ?? architecture;
}

function fileNameOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
}

function archiveOf(name: string): ReleaseArchive {
  if (/\.(?:tar\.gz|tgz)$/.test(name)) return "tar.gz";
  if (/\.(?:tar\.xz|txz)$/.test(name)) return "tar.xz";
  return name.endsWith(".zip") ? "zip" : "none";
}

function unavailable(
  tool: SourceTool,
  version: string,
  platform: Platform,
  hasOther: boolean,
  cause: ToolingError,
): ToolingError {
  if (hasOther) {
    return new ToolingError(
      "PLATFORM_UNAVAILABLE",
      `tool "${tool.name}" ${version} has no release for "${platform}"`,
      {
        hint: "Choose another version or another source, or leave that platform out.",
        cause,
      },
    );
  }
  return new ToolingError(
    "VERSION_NOT_FOUND",
    `tool "${tool.name}" has no release "${version}" for "${platform}"`,
    {
      hint: "Check the version and the addresses in the definition of the tool.",
      cause,
    },
  );
}
