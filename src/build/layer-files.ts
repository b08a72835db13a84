// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, sortEntries } from "../archive/index.ts";
import type { LockedPackage, LockedToolPlatform } from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import type { PackageClaims } from "../debian/index.ts";
import type { Lockfile } from "../workspace/index.ts";
import type { LayerFiles, LayerSources } from "./layer-sources.ts";
import type { PlannedLayer } from "./plan.ts";

/** The files of a layer, and who brings each. */
export interface OwnedFiles extends LayerFiles {
  /** Such as `tool "helm"`. */
  readonly ownerOf: (path: string) => string;
}

/**
 * Fetches all that belongs into one tool layer. Where tools share it, their Debian packages are unpacked as one
 * set, because several may need the same package.
 *
 * @throws {ToolingError} `PATH_CONFLICT`, and what the sources throw
 */
export async function readToolFiles(
  { tools, platform }: PlannedLayer,
  lockfile: Lockfile,
  sources: LayerSources,
  options: OperationOptions,
): Promise<OwnedFiles> {
  const parts = tools.map((name) => ({
    owner: describeOwner([name]),
    entry: entryOf(lockfile, name, platform),
  }));
  const joined = parts.length === 1 ? parts : joinDebian(parts);
  const owners = new Map<string, string>();
  const entries = new Map<string, ArchiveEntry>();
  const packages: string[] = [];
  const claims: PackageClaims[] = [];
  const opened: LayerFiles[] = [];
  const dispose = async (): Promise<void> => {
    for (const files of opened) await files.dispose?.();
  };
  try {
    for (const { owner, entry } of joined) {
      const files = await sources.readTool(entry, platform, options);
      opened.push(files);
      for (const file of files.entries) addEntry(file, owner, entries, owners);
      packages.push(...files.packages);
      claims.push(...(files.claims ?? []));
    }
    const all = describeOwner(tools);
    return {
      entries: sortEntries(entries.values()),
      packages,
      claims,
      ownerOf: (path) => owners.get(path) ?? all,
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** `tool "a"`, or `tools "a" and "b"`. */
export function describeOwner(tools: readonly string[]): string {
  const names = tools.map((name) => `"${name}"`);
  return names.length === 1
    ? `tool ${names[0]}`
    : `tools ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

interface LayerPart {
  readonly owner: string;
  readonly entry: LockedToolPlatform;
}

function joinDebian(parts: readonly LayerPart[]): readonly LayerPart[] {
  const packages = new Map<string, LockedPackage>();
  const owners: string[] = [];
  const others: LayerPart[] = [];
  const keep = new Set<string>();
  for (const part of parts) {
    if (part.entry.source !== "debian") {
      const own = "packages" in part.entry ? { ...part.entry, packages: [] } : part.entry;
      others.push({ ...part, entry: own });
    }
    if (!("packages" in part.entry) || part.entry.packages.length === 0) continue;
    owners.push(part.owner);
    if (part.entry.source === "debian") for (const pattern of part.entry.keep ?? []) keep.add(pattern);
    for (const item of part.entry.packages) addPackage(item, part.owner, packages);
  }
  if (owners.length === 0) return others;
  const entry: LockedToolPlatform = { source: "debian", packages: [...packages.values()], keep: [...keep] };
  return [...others, { owner: owners.join(" and "), entry }];
}

function addPackage(item: LockedPackage, owner: string, packages: Map<string, LockedPackage>): void {
  const id = `${item.name}:${item.architecture}`;
  const other = packages.get(id);
  if (other !== undefined && other.sha256 !== item.sha256) {
    throw new ToolingError(
      "PATH_CONFLICT",
      `${owner} needs package "${item.name}" ${item.version}, another tool of the layer needs ${other.version}`,
      { hint: "Take both tools from the same suite." },
    );
  }
  packages.set(id, item);
}

function addEntry(
  entry: ArchiveEntry,
  owner: string,
  entries: Map<string, ArchiveEntry>,
  owners: Map<string, string>,
): void {
  const other = entries.get(entry.path);
  if (other !== undefined && (other.type !== "directory" || entry.type !== "directory")) {
    throw new ToolingError(
      "PATH_CONFLICT",
      `${owners.get(entry.path) ?? owner} and ${owner} both own "${entry.path}"`,
      { hint: "Leave one of them out of the image, or install its file under another path." },
    );
  }
  if (other !== undefined) return;
  entries.set(entry.path, entry);
  owners.set(entry.path, owner);
}

function entryOf(lockfile: Lockfile, name: string, platform: Platform): LockedToolPlatform {
  const entry = lockfile.tools[name]?.platforms[platform];
  if (entry !== undefined) return entry;
  throw new ToolingError("PLATFORM_UNAVAILABLE", `tool "${name}" is not locked for "${platform}"`, {
    hint: 'Run "toolbox lock".',
  });
}
