// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ArchiveEntry, sortEntries } from "../archive/index.ts";
import {
  bareVersion,
  compareVersions,
  type GoSourceDefinition,
  isExactVersion,
  type LockedGo,
  satisfiesRange,
} from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import { buildGoProgram } from "./go-build.ts";
import { isUnconfirmed } from "./go-checksum.ts";
import { fetchDependencies } from "./go-dependencies.ts";
import { downloadEnvironment, goFolders } from "./go-environment.ts";
import { type GoModFile, readGoMod, writeMainModule } from "./go-main-module.ts";
import { fetchGoModule, type GoModule, listGoVersions } from "./go-module.ts";
import { chooseToolchain, ensureToolchain } from "./go-toolchain.ts";
import { installedProgram } from "./installed-program.ts";
import type { LockedSource, SourceContext, SourceTool, ToolSource, VersionWish } from "./tool-source.ts";
import { fillTemplate, fillTemplates, versionValues } from "./version-template.ts";

/** How many versions of a range are tried before it counts as not to be had. */
const MOST_TRIED = 8;

/** Compiles a Go module's command with a locked toolchain, for any platform on any host. */
export const goSource: ToolSource<GoSourceDefinition, LockedGo> = {
  kind: "go",
  listVersions: async (definition, _tool, context) => await listVersions(definition, context),
  lockTool,
  materializeTool: async (locked, platform, context): Promise<readonly ArchiveEntry[]> => {
    const { path, size } = await buildGoProgram(locked, platform, context);
    const program = installedProgram(locked.binary, path, size);
    return sortEntries([program, ...(locked.links ?? []).map((link) => linkTo(program.path, link))]);
  },
};

function linkTo(program: string, path: string): ArchiveEntry {
  return { type: "symlink", path, target: `/${program}`, mode: 0o777, uid: 0, gid: 0 };
}

async function listVersions(
  definition: GoSourceDefinition,
  context: SourceContext,
): Promise<readonly string[]> {
  const goroot = await ensureToolchain(chooseToolchain(context.toolchains, definition.toolchain), context);
  const known = (definition.versions ?? []).map(bareVersion);
  try {
    const listed = await listGoVersions(definition.module, goroot, context);
    return [...new Set([...listed, ...known])].toSorted(compareVersions);
  } catch (error) {
    if (known.length > 0 && error instanceof ToolingError && error.code === "VERSION_NOT_FOUND") {
      return known.toSorted(compareVersions);
    }
    throw error;
  }
}

async function lockTool(
  definition: GoSourceDefinition,
  tool: SourceTool,
  { range }: VersionWish,
  context: SourceContext,
): Promise<LockedSource> {
  if (isExactVersion(range)) return await lockVersion(definition, tool, bareVersion(range), context);
  const versions = await listVersions(definition, context);
  const wanted = versions.filter((version) => satisfiesRange(version, range));
  let newest: ToolingError | undefined;
  for (const version of wanted.slice(0, MOST_TRIED)) {
    try {
      return await lockVersion(definition, tool, version, context);
    } catch (error) {
      // Company proxies hold new versions back, and list them all the same.
      if (!(error instanceof ToolingError) || error.code !== "VERSION_NOT_FOUND") throw error;
      newest ??= error;
      context.onProgress?.({
        type: "noted",
        what: `lock ${tool.name}`,
        note: `version ${version}: ${error.message}`,
      });
    }
  }
  if (wanted.length === 1 && newest !== undefined) throw newest;
  const offered = wanted.length > 0 ? wanted : versions;
  throw new ToolingError(
    "VERSION_NOT_FOUND",
    `module "${definition.module}" has no version in "${range}" to be had`,
    {
      hint: `The Go proxy lists: ${offered.slice(0, 8).join(", ") || "none"}. An exact version works without a list.`,
    },
  );
}

async function lockVersion(
  definition: GoSourceDefinition,
  tool: SourceTool,
  version: string,
  context: SourceContext,
): Promise<LockedSource> {
  const toolchain = chooseToolchain(context.toolchains, definition.toolchain);
  const goroot = await ensureToolchain(toolchain, context);
  const options = { goroot, toolchain: toolchain.version };
  const module = await fetchGoModule(definition.module, `v${version}`, options, context);
  const unconfirmed = isUnconfirmed(module.path, await context.mirrors.goSettings());
  if (unconfirmed) noteUnconfirmed(tool.name, module, context);
  const values = versionValues(version, { commit: module.commit, date: module.time });
  const bare: LockedGo = {
    source: "go",
    module: module.path,
    version: module.version,
    package: definition.package ?? ".",
    binary: definition.binary ?? tool.binaries[0] ?? tool.name,
    ldflags: fillTemplates(definition.ldflags ?? [], values),
    tags: definition.tags ?? [],
    ...(definition.links === undefined ? {} : { links: definition.links }),
    ...(definition.files === undefined ? {} : { files: definition.files }),
    toolchain: toolchain.version,
    toolchainSums: toolchain.sums,
    moduleSum: module.sum,
    goModSum: module.goModSum,
    ...(unconfirmed && { unconfirmed }),
  };
  const locked = await lockDependencies(bare, definition, { goroot, module, values }, context);
  return { version, platforms: Object.fromEntries(context.platforms.map((platform) => [platform, locked])) };
}

function noteUnconfirmed(
  tool: string,
  { path, version }: Pick<GoModule, "path" | "version">,
  { onProgress }: SourceContext,
): void {
  const note = `nobody but the Go proxy says what "${path}@${version}" is: GOSUMDB, GONOSUMDB or GOPRIVATE asks for that`;
  onProgress?.({ type: "noted", what: `lock ${tool}`, note });
}

interface DependencyContext {
  readonly goroot: string;
  readonly module: GoModule;
  readonly values: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes sure that all that a build will need can be had, and adds what the module's own go.sum lacks: folders
 * beside the module are not published with it, so the modules of the same release stand in for them.
 */
async function lockDependencies(
  locked: LockedGo,
  definition: GoSourceDefinition,
  { goroot, module, values }: DependencyContext,
  context: SourceContext,
): Promise<LockedGo> {
  const work = await mkdtemp(join(goFolders(context.cacheDir).work, "lock-"));
  try {
    const env = await downloadEnvironment(goroot, context);
    const goMod = await readGoMod(goroot, join(module.folder, "go.mod"), {
      cwd: work,
      env,
      signal: context.signal,
    });
    const replace = replacements(goMod, definition.replace ?? {}, values);
    const completesSums = Object.keys(replace).length > 0;
    const folder = join(work, "main");
    await writeMainModule(folder, module, goMod, { ...locked, replace });
    const before = await readSums(folder);
    for (const platform of context.platforms) {
      await fetchDependencies({ folder, goroot, completesSums }, locked, platform, context);
    }
    if (!completesSums) return locked;
    const known = new Set(before);
    return {
      ...locked,
      replace,
      sums: (await readSums(folder)).filter((line) => !known.has(line)).toSorted(),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function readSums(folder: string): Promise<readonly string[]> {
  return (await readFile(join(folder, "go.sum"), "utf8")).split("\n").filter((line) => line !== "");
}

function replacements(
  goMod: GoModFile,
  rules: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const folders = (goMod.Replace ?? [])
    .filter(({ New }) => New.Version === undefined)
    .map(({ Old }) => Old.Path);
  const found: Record<string, string> = {};
  for (const path of folders) {
    const rule = Object.keys(rules).find((rule) =>
      rule.endsWith("*") ? path.startsWith(rule.slice(0, -1)) : path === rule,
    );
    const version = rule === undefined ? undefined : fillTemplate(rules[rule] ?? "", values);
    if (version !== undefined) found[path] = version;
  }
  return found;
}
