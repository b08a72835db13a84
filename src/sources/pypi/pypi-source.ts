// SPDX-License-Identifier: Apache-2.0
import type { ArchiveEntry } from "../../archive/index.ts";
import {
  bareVersion,
  isExactVersion,
  type LockedPypi,
  type LockedWheel,
  type PypiSourceDefinition,
  satisfiesRange,
} from "../../catalog/index.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import { ToolingError } from "../../core/error.ts";
import type { Platform } from "../../core/platform.ts";
import type { LockedSource, SourceContext, SourceTool, ToolSource } from "../tool-source.ts";
import { type Candidate, explainNoCandidate, listCandidates, selectCandidates } from "./candidates.ts";
import { fetchWheel, readIndexedFiles } from "./index-client.ts";
import { type InstalledWheel, installWheels } from "./install-wheels.ts";
import { normalizeProject } from "./project-name.ts";
import { openReleaseIndex } from "./release-index.ts";
import { parseRequirement, type Requirement } from "./requirement.ts";
import { resolveRequirements } from "./resolver.ts";
import { openTargetBase, type TargetBase } from "./target-base.ts";
import { describeEnvironment, formatSeries } from "./target-python.ts";
import { isPreRelease, parsePythonVersion, type PythonVersion } from "./version.ts";
import { openWheel } from "./wheel-archive.ts";

/** Wheels read at once. */
const CONCURRENCY = 4;

type Targets = ReadonlyMap<Platform, TargetBase>;

/** Takes a tool from a Python index: the wheels that it needs, isolated from the system's Python packages. */
export const pypiSource: ToolSource<PypiSourceDefinition, LockedPypi> = {
  kind: "pypi",
  listVersions: async (definition, _tool, context) => {
    const versions = await listReleases(definition, await openTargets(definition, context), context);
    return versions.filter((version) => !isPreRelease(version)).map(({ text }) => text);
  },
  lockTool: async (definition, tool, { range }, context) => await lockTool(definition, tool, range, context),
  materializeTool: async (locked, _platform, context) => await materialize(locked, locked.wheels, context),
};

async function lockTool(
  definition: PypiSourceDefinition,
  tool: SourceTool,
  range: string,
  context: SourceContext,
): Promise<LockedSource> {
  const targets = await openTargets(definition, context);
  const releases = await listReleases(definition, targets, context);
  const version = chooseRelease(releases, range);
  if (version === undefined) throw await notFound(definition, tool, range, { releases, targets }, context);
  const platforms: Partial<Record<Platform, LockedPypi>> = {};
  for (const [platform, base] of targets) {
    platforms[platform] = await lockPlatform(definition, tool, { version, base }, context);
  }
  return { version: version.text, platforms };
}

async function openTargets(definition: PypiSourceDefinition, context: SourceContext): Promise<Targets> {
  const targets = new Map<Platform, TargetBase>();
  for (const platform of context.platforms) {
    targets.set(platform, await openTargetBase(platform, definition.debianPackages ?? [], context));
  }
  return targets;
}

/** Releases that every platform can take, newest first; withdrawn ones are not among them. */
async function listReleases(
  definition: PypiSourceDefinition,
  targets: Targets,
  context: SourceContext,
): Promise<readonly PythonVersion[]> {
  const project = normalizeProject(definition.package);
  const files = (await readIndexedFiles(project, context)) ?? [];
  const lists = [...targets.values()].map(({ target }) =>
    listCandidates(project, files, target).filter(({ file }) => !file.yanked),
  );
  const [first = [], ...others] = lists;
  return first
    .map(({ version }) => version)
    .filter(({ text }) => others.every((list) => list.some(({ version }) => version.text === text)));
}

/** The newest one in a range. Numbers beyond the third, and what follows them, play no part in ranges. */
function chooseRelease(releases: readonly PythonVersion[], range: string): PythonVersion | undefined {
  const finals = releases.filter((version) => !isPreRelease(version));
  if (range === "latest" || range === "*") return finals[0];
  const named = parsePythonVersion(bareVersion(range));
  const exact = named === undefined ? undefined : releases.find(({ text }) => text === bareVersion(range));
  if (exact !== undefined || isExactVersion(range)) return exact;
  return finals.find(({ release }) => satisfiesRange(release.slice(0, 3).join("."), range));
}

async function lockPlatform(
  definition: PypiSourceDefinition,
  tool: SourceTool,
  { version, base }: { readonly version: PythonVersion; readonly base: TargetBase },
  context: SourceContext,
): Promise<LockedPypi> {
  const { target, packages } = base;
  const roots = readRoots(definition, version);
  const index = openReleaseIndex({ tool: tool.name, target }, context);
  const chosen = await resolveRequirements(roots, describeEnvironment(target), index);
  const wheels = await mapConcurrently(
    chosen,
    { limit: CONCURRENCY, signal: context.signal },
    async (candidate, signal) => await lockWheel(candidate, { ...context, signal }),
  );
  const locked: LockedPypi = {
    source: "pypi",
    tool: tool.name,
    python: formatSeries(target),
    programsOf: [...new Set(roots.map(({ project }) => project))],
    binaries: tool.binaries,
    packages,
    wheels,
  };
  // Its programs are looked for now, so that a definition that names others fails here and not in a build.
  const own = wheels.filter(({ project }) => locked.programsOf.includes(project));
  await materialize(locked, own, context);
  return locked;
}

function readRoots(
  { package: name, extras, requirements }: PypiSourceDefinition,
  version: PythonVersion,
): Requirement[] {
  const wished = `${name}[${(extras ?? []).join(",")}]===${version.text}`;
  return [wished, ...(requirements ?? [])].map((text) => {
    const requirement = parseRequirement(text);
    if (requirement !== undefined) return requirement;
    throw new ToolingError("CATALOG_INVALID", `"${text}" is not a requirement such as "name>=1.2"`, {
      hint: 'Correct "requirements" in the definition of the tool.',
    });
  });
}

async function lockWheel(
  { project, version, file }: Candidate,
  context: SourceContext,
): Promise<LockedWheel> {
  const { name, sha256 } = file;
  const size = file.size ?? (await fetchWheel({ project, name, sha256 }, context)).size;
  return { project, version: version.text, name, sha256, size };
}

async function materialize(
  { tool, python, programsOf, binaries }: LockedPypi,
  wheels: readonly LockedWheel[],
  context: SourceContext,
): Promise<readonly ArchiveEntry[]> {
  const installed = await mapConcurrently(
    wheels,
    { limit: CONCURRENCY, signal: context.signal },
    async (wheel, signal): Promise<InstalledWheel> => {
      const inside = { ...context, signal };
      const members = await openWheel(await fetchWheel(wheel, inside), wheel.name, inside);
      return { project: wheel.project, name: wheel.name, members };
    },
  );
  return await installWheels(installed, { tool, python, programsOf, binaries });
}

/** Tells a platform that lacks a release from a release that is nowhere. */
async function notFound(
  definition: PypiSourceDefinition,
  tool: SourceTool,
  range: string,
  { releases, targets }: { readonly releases: readonly PythonVersion[]; readonly targets: Targets },
  context: SourceContext,
): Promise<ToolingError> {
  const project = normalizeProject(definition.package);
  const files = await readIndexedFiles(project, context);
  const lacking = [...targets.values()].find(
    ({ target }) => selectCandidates(listCandidates(project, files ?? [], target), []).length === 0,
  );
  if (lacking !== undefined) {
    const why = explainNoCandidate(project, files, [], lacking.target);
    const code = files === undefined ? "VERSION_NOT_FOUND" : "PLATFORM_UNAVAILABLE";
    return new ToolingError(code, `project "${project}" of tool "${tool.name}" cannot be had: ${why}`, {
      hint: "Choose another source for the tool, or leave that platform out.",
    });
  }
  const known = releases.map(({ text }) => text).slice(0, 8);
  return new ToolingError("VERSION_NOT_FOUND", `tool "${tool.name}" has no release in "${range}" that fits`, {
    hint: `Releases that fit all platforms are: ${known.join(", ") || "none"}.`,
  });
}
