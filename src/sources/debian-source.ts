// SPDX-License-Identifier: Apache-2.0
import {
  compareVersions,
  type DebianSourceDefinition,
  type LockedDebian,
  selectVersion,
} from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import { architectureOf, type Platform } from "../core/platform.ts";
import { lockPackages } from "../debian/index.ts";
import { openPackageIndex, readDebianPackages } from "./debian-archive.ts";
import type { LockedSource, SourceBase, SourceContext, ToolSource } from "./tool-source.ts";

/** Takes a tool from the Debian suite of the base, with what it needs beyond the base. */
export const debianSource: ToolSource<DebianSourceDefinition, LockedDebian> = {
  kind: "debian",
  listVersions: async (definition, _tool, context) => {
    const candidates = await listCandidates(definition, context);
    return [...candidates.keys()].toSorted(compareVersions);
  },
  lockTool: async (definition, _tool, { range }, context) => lockTool(definition, range, context),
  materializeTool: async ({ packages }, platform, context) =>
    (await readDebianPackages(packages, platform, context)).entries,
};

/** Debian version of the package on each platform, by the tool's version. */
type Candidates = ReadonlyMap<string, Readonly<Partial<Record<Platform, string>>>>;

async function lockTool(
  definition: DebianSourceDefinition,
  range: string,
  context: SourceContext,
): Promise<LockedSource> {
  const { suite, packages: installed } = await openBase(definition, context);
  const candidates = await listCandidates(definition, context);
  const version = selectVersion(candidates.keys(), range);
  const found = version === undefined ? undefined : candidates.get(version);
  if (version === undefined || found === undefined) {
    throw new ToolingError(
      "VERSION_NOT_FOUND",
      `package "${definition.package}" of "${suite}" has no version in "${range}"`,
      { hint: `Versions there are: ${[...candidates.keys()].join(", ") || "none"}.` },
    );
  }
  const platforms: Partial<Record<Platform, LockedDebian>> = {};
  for (const platform of context.platforms) {
    const wish = `${definition.package}=${found[platform]}`;
    const locked = await lockPackages(
      { platforms: [platform], packages: [wish, ...(definition.packages ?? [])], installed },
      (architecture) => openPackageIndex(suite, architecture, context),
    );
    const { keep, aliases, exec } = definition;
    platforms[platform] = {
      source: "debian",
      packages: locked[platform] ?? [],
      ...(keep === undefined ? {} : { keep }),
      ...(aliases === undefined ? {} : { aliases }),
      ...(exec === undefined ? {} : { exec }),
    };
  }
  return { version, platforms };
}

/** Versions that every platform has; where the base holds the package, only the base's. */
async function listCandidates(
  definition: DebianSourceDefinition,
  context: SourceContext,
): Promise<Candidates> {
  const { suite, packages: installed } = await openBase(definition, context);
  const candidates = new Map<string, Partial<Record<Platform, string>>>();
  for (const platform of context.platforms) {
    const index = await openPackageIndex(suite, architectureOf(platform), context);
    const present = installed[platform]?.find(({ name }) => name === definition.package);
    const records = present === undefined ? (index.records.get(definition.package) ?? []) : [present];
    for (const { version } of records) {
      const tool = readToolVersion(definition, version);
      const known = candidates.get(tool) ?? {};
      candidates.set(tool, known);
      known[platform] ??= version;
    }
  }
  return new Map(
    [...candidates].filter(([, found]) =>
      context.platforms.every((platform) => found[platform] !== undefined),
    ),
  );
}

/** The upstream part of a Debian version, without what Debian and repackaging add to it. */
function readToolVersion({ version: rule }: DebianSourceDefinition, version: string): string {
  const own = rule === undefined ? undefined : new RegExp(rule.pattern, "u").exec(version)?.[1];
  return (
    own ??
    version
      .replace(/^\d+:/, "")
      .replace(/-[^-]*$/, "")
      .replace(/[+~].*$/, "")
  );
}

async function openBase(definition: DebianSourceDefinition, context: SourceContext): Promise<SourceBase> {
  if (context.openBase !== undefined) return await context.openBase();
  throw new ToolingError(
    "CONFIG_INVALID",
    `package "${definition.package}" has no Debian base to be laid on`,
    {
      hint: 'Write "base: { debian: trixie }" in toolbox.yaml, or name another source for the tool.',
    },
  );
}
