// SPDX-License-Identifier: Apache-2.0
import semver from "semver";
import type { ArchiveEntry } from "../../archive/index.ts";
import {
  bareVersion,
  isExactVersion,
  type LockedNpm,
  type NpmSourceDefinition,
} from "../../catalog/index.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import { ToolingError } from "../../core/error.ts";
import type { Platform } from "../../core/platform.ts";
import type { LockedSource, SourceContext, SourceTool, ToolSource } from "../tool-source.ts";
import { checkInstallScripts } from "./install-script.ts";
import { type InstalledModule, installModules } from "./install-modules.ts";
import { type DescribedModule, lockModule } from "./lock-module.ts";
import { openModule } from "./module-archive.ts";
import { parsePackageWish } from "./package-spec.ts";
import type { PackageManifest, Packument } from "./packument.ts";
import { pickVersion } from "./pick-version.ts";
import { fetchModule, readPackument } from "./registry-client.ts";
import { resolvePackages } from "./resolver.ts";
import { openTargetBase, type TargetBase } from "./target-base.ts";
import { fitsEngine, fitsPlatform } from "./target-node.ts";

/** Archives read at once. */
const CONCURRENCY = 4;

type Targets = ReadonlyMap<Platform, TargetBase>;

/** Takes a tool from an npm registry: the packages that it needs, in a folder that no other tool looks into. */
export const npmSource: ToolSource<NpmSourceDefinition, LockedNpm> = {
  kind: "npm",
  listVersions: async (definition, _tool, context) => {
    const targets = await openTargets(definition, context);
    const { tags, versions } = await openPackage(definition, context);
    const fitting = versions.filter((each) => fitsAll(each, targets) && !isPreRelease(each));
    const latest = fitting.find(({ version }) => version === tags["latest"])?.version;
    // What is newer than "latest" is there for those who name it.
    return fitting
      .filter(({ version, isDeprecated }) => !isDeprecated && !(latest && semver.gt(version, latest, true)))
      .map(({ version }) => version);
  },
  lockTool: async (definition, tool, { range }, context) => {
    const targets = await openTargets(definition, context);
    const version = chooseVersion(await openPackage(definition, context), tool, range, targets);
    const platforms: Partial<Record<Platform, LockedNpm>> = {};
    for (const [platform, base] of targets) {
      platforms[platform] = await lockPlatform(definition, tool, { version, base }, context);
    }
    return { version, platforms } satisfies LockedSource;
  },
  materializeTool: async (locked, platform, context) =>
    await materialize(locked, locked.modules, platform, context),
};

async function openTargets(definition: NpmSourceDefinition, context: SourceContext): Promise<Targets> {
  const targets = new Map<Platform, TargetBase>();
  for (const platform of context.platforms) {
    targets.set(platform, await openTargetBase(platform, definition.debianPackages ?? [], context));
  }
  return targets;
}

async function openPackage(
  { package: name }: NpmSourceDefinition,
  context: SourceContext,
): Promise<Packument> {
  const packument = await readPackument(name, context);
  if (packument !== undefined) return packument;
  throw new ToolingError("VERSION_NOT_FOUND", `package "${name}" is in no npm registry of this machine`, {
    hint: 'Correct "package" in the definition of the tool, or check which registry npm uses for it.',
  });
}

function fitsAll(manifest: PackageManifest, targets: Targets): boolean {
  return [...targets.values()].every(
    ({ target }) => fitsEngine(manifest, target) && fitsPlatform(manifest, target),
  );
}

function isPreRelease({ version }: PackageManifest): boolean {
  return semver.prerelease(version, { loose: true }) !== null;
}

/** What npm would take of the versions that every platform can run. */
function chooseVersion(packument: Packument, tool: SourceTool, range: string, targets: Targets): string {
  const [first] = targets.values();
  const wanted = isExactVersion(range) ? bareVersion(range) : range === "latest" ? "*" : range;
  const spec = { kind: "range", name: packument.name, wanted } as const;
  const fitting = packument.versions.filter((each) => fitsAll(each, targets));
  const chosen = first && pickVersion({ ...packument, versions: fitting }, spec, first.target);
  if (chosen !== undefined) return chosen.version;
  const unfit = first && pickVersion(packument, spec, first.target);
  if (unfit !== undefined) throw unfitVersion(unfit, tool, targets);
  const known = fitting.map(({ version }) => version).slice(0, 8);
  throw new ToolingError("VERSION_NOT_FOUND", `tool "${tool.name}" has no version in "${range}"`, {
    hint: `Versions that fit all platforms are: ${known.join(", ") || "none"}.`,
  });
}

function unfitVersion(
  { version, node = "*" }: PackageManifest,
  tool: SourceTool,
  targets: Targets,
): ToolingError {
  const nodes = [...targets.values()].map(({ target }) => `Node.js ${target.version} on ${target.platform}`);
  return new ToolingError(
    "PLATFORM_UNAVAILABLE",
    `tool "${tool.name}" ${version} asks for Node.js "${node}", and does not fit ${nodes.join(" and ")}`,
    { hint: "Choose an older version of the tool, or a base with a newer Node.js." },
  );
}

async function lockPlatform(
  definition: NpmSourceDefinition,
  tool: SourceTool,
  { version, base }: { readonly version: string; readonly base: TargetBase },
  context: SourceContext,
): Promise<LockedNpm> {
  const { target, packages } = base;
  const wishes = readWishes(definition, version);
  const reader = { readPackument: async (name: string) => await readPackument(name, context) };
  const { packages: resolved, notes } = await resolvePackages(wishes, target, reader);
  const described = await mapConcurrently(
    resolved,
    { limit: CONCURRENCY, signal: context.signal },
    async (item, signal): Promise<DescribedModule> => await lockModule(item, target, { ...context, signal }),
  );
  const scripts = described.flatMap((each) => each.scripts);
  const ignored = checkInstallScripts(tool.name, scripts, definition.ignoreScripts ?? []);
  for (const note of [...notes, ...described.flatMap((each) => each.notes), ...ignored]) {
    context.onProgress?.({ type: "noted", what: `lock ${tool.name}`, note });
  }
  const locked: LockedNpm = {
    source: "npm",
    tool: tool.name,
    node: String(semver.major(target.version)),
    programsOf: Object.keys(wishes),
    binaries: tool.binaries,
    packages,
    modules: described.map(({ module }) => module),
  };
  // Its programs are looked for now, so that a definition that names others fails here and not in a build.
  const own = locked.modules.filter(({ path }) =>
    locked.programsOf.some((name) => path === `node_modules/${name}`),
  );
  await materialize(locked, own, target.platform, context);
  return locked;
}

function readWishes(
  { package: name, requirements }: NpmSourceDefinition,
  version: string,
): Readonly<Record<string, string>> {
  const wishes = (requirements ?? []).map((text) => {
    const wish = parsePackageWish(text);
    if (wish !== undefined && wish.name !== name) return [wish.name, wish.wanted] as const;
    throw new ToolingError("CATALOG_INVALID", `"${text}" is not another package such as "name@^1.2"`, {
      hint: 'Correct "requirements" in the definition of the tool.',
    });
  });
  return Object.fromEntries([[name, version], ...wishes]);
}

async function materialize(
  { tool, programsOf, binaries }: LockedNpm,
  modules: LockedNpm["modules"],
  platform: Platform,
  context: SourceContext,
): Promise<readonly ArchiveEntry[]> {
  const installed = await mapConcurrently(
    modules,
    { limit: CONCURRENCY, signal: context.signal },
    async (module, signal): Promise<InstalledModule> => {
      const inside = { ...context, signal };
      const title = `${module.name} ${module.version}`;
      const files = await openModule(await fetchModule(module, inside), title, inside);
      return { path: module.path, title, files };
    },
  );
  return await installModules(installed, { tool, programsOf, binaries, platform });
}
