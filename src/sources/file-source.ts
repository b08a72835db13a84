// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { basename, isAbsolute, relative, resolve, sep } from "node:path";
import { type ArchiveEntry, sortEntries } from "../archive/index.ts";
import {
  bareVersion,
  type FileSourceDefinition,
  isExactVersion,
  type LockedLocalFile,
} from "../catalog/index.ts";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import type { Platform } from "../core/platform.ts";
import { digestOfFile } from "./file-digest.ts";
import { installedProgram } from "./installed-program.ts";
import type { LockedSource, SourceContext, SourceTool, ToolSource, VersionWish } from "./tool-source.ts";

/** Takes a program that lies in the workspace. */
export const fileSource: ToolSource<FileSourceDefinition, LockedLocalFile> = {
  kind: "file",
  listVersions: async ({ version }) => (version === undefined ? [] : [bareVersion(version)]),
  lockTool,
  materializeTool,
};

async function lockTool(
  definition: FileSourceDefinition,
  tool: SourceTool,
  { range }: VersionWish,
  context: SourceContext,
): Promise<LockedSource> {
  const platforms: Partial<Record<Platform, LockedLocalFile>> = {};
  for (const platform of context.platforms) {
    platforms[platform] = await lockPlatform(definition, tool, platform, context);
  }
  const named = definition.version ?? (isExactVersion(range) ? range : undefined);
  const digest = platforms[context.platforms[0] ?? "linux/amd64"]?.file.sha256 ?? "";
  return { version: named === undefined ? `0.0.0+${digest.slice(0, 12)}` : bareVersion(named), platforms };
}

async function lockPlatform(
  { path: paths, sha256: expected }: FileSourceDefinition,
  tool: SourceTool,
  platform: Platform,
  context: SourceContext,
): Promise<LockedLocalFile> {
  const path = typeof paths === "string" ? paths : paths[platform];
  if (path === undefined) {
    throw new ToolingError("PLATFORM_UNAVAILABLE", `tool "${tool.name}" has no file for "${platform}"`, {
      hint: `Name one under "path" for "${platform}", or leave that platform out.`,
    });
  }
  const file = await locate(path, context.workspaceDir);
  const [sha256, { size }] = await Promise.all([digestOfFile(file), stat(file)]);
  if (expected !== undefined && sha256 !== expected) throw changed(path, sha256, expected);
  return {
    source: "file",
    path: relative(context.workspaceDir, resolve(context.workspaceDir, path)).split(sep).join("/"),
    binary: tool.binaries[0] ?? tool.name,
    file: { name: basename(path), sha256, size },
  };
}

/** Read where it lies, once, and checked on the way: a copy of it would be as large again. */
async function materializeTool(
  { path, binary, file }: LockedLocalFile,
  _platform: Platform,
  context: SourceContext,
): Promise<readonly ArchiveEntry[]> {
  const source = await locate(path, context.workspaceDir);
  const { size } = await stat(source);
  if (size !== file.size) throw changed(path, await digestOfFile(source), file.sha256);
  const program = installedProgram(binary, source, size);
  const open = (): LentBytes => checkContent(program.open(), path, file.sha256);
  return sortEntries([{ ...program, sha256: file.sha256, open }]);
}

/** The same content, which turns out at its end to be what was locked. */
async function* checkContent(content: LentBytes, path: string, expected: string): LendingGenerator {
  const hash = createHash("sha256");
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest("hex");
  if (found !== expected) throw changed(path, found, expected);
}

/** @throws {ToolingError} `FILE_NOT_FOUND`, `POLICY_REFUSED` */
async function locate(path: string, workspaceDir: string): Promise<string> {
  try {
    const [file, folder] = await Promise.all([realpath(resolve(workspaceDir, path)), realpath(workspaceDir)]);
    const inside = relative(folder, file);
    if (isAbsolute(path) || isAbsolute(inside) || inside.split(sep)[0] === "..") throw outside(path);
    if ((await stat(file)).isFile()) return file;
  } catch (error) {
    if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw error;
  }
  throw new ToolingError("FILE_NOT_FOUND", `file "${path}" of the workspace does not exist`, {
    hint: "Build or fetch it first, or correct the path in toolbox.yaml.",
  });
}

function outside(path: string): ToolingError {
  return new ToolingError("POLICY_REFUSED", `file "${path}" lies outside the workspace`, {
    hint: "Put it below the folder of toolbox.yaml, so that others have it too.",
  });
}

function changed(path: string, found: string, expected: string): ToolingError {
  return new ToolingError(
    "CHECKSUM_MISMATCH",
    `file "${path}" has sha256 "${found}" where "${expected}" is expected`,
    {
      hint: "If the change is meant, run `toolbox lock` again (and correct sha256 in toolbox.yaml if it stands there).",
    },
  );
}
