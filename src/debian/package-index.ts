// SPDX-License-Identifier: Apache-2.0
import type { LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { readControlFields } from "./control-file.ts";
import { type PackageRelation, parseDependencies } from "./dependency.ts";
import { compareVersions } from "./version.ts";

/** What resolving needs to know of one version of a package. Relationship fields are as written, or empty. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Suite whose index it stands in. */
  readonly suite: string;
  /** Path below the mirror's root, `pool/...`. */
  readonly path: string;
  readonly sha256: string;
  /** Bytes of the .deb. */
  readonly size: number;
  readonly essential: boolean;
  /** `required`, `important`, `standard`, `optional`, `extra`, or empty. */
  readonly priority: string;
  /** Pre-Depends before Depends. */
  readonly depends: string;
  readonly provides: string;
  /** Conflicts and Breaks, which mean the same where only one version is ever unpacked. */
  readonly conflicts: string;
}

/** A package by coordinates, as a lock or a dpkg database knows it. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Provides field. Absent: looked up in the index under the same name. */
  readonly provides?: string | undefined;
  /** Conflicts and Breaks fields. Absent: looked up in the index under the same name and version. */
  readonly conflicts?: string | undefined;
}

/** A virtual name that a package offers. */
export interface PackageProvision {
  readonly provider: PackageRecord;
  /** Absent: unversioned, so it satisfies no versioned dependency. */
  readonly version?: string;
}

/** The packages of one architecture, of one or more suites. */
export interface PackageIndex {
  readonly architecture: string;
  /** Versions of a name, highest first. */
  readonly records: ReadonlyMap<string, readonly PackageRecord[]>;
  readonly provisions: ReadonlyMap<string, readonly PackageProvision[]>;
}

const FIELDS = [
  "Package",
  "Version",
  "Architecture",
  "Filename",
  "SHA256",
  "Size",
  "Essential",
  "Priority",
  "Pre-Depends",
  "Depends",
  "Provides",
  "Conflicts",
  "Breaks",
] as const;

/**
 * Reads a Packages index, keeping only what {@link PackageRecord} holds.
 *
 * @throws {ToolingError} `DEBIAN_INDEX_INVALID` for a package without name, version, file name, size or SHA256.
 */
export async function readPackageRecords(content: LentBytes, suite: string): Promise<PackageRecord[]> {
  const records: PackageRecord[] = [];
  const interned = new Map<string, string>();
  const intern = (text: string): string => {
    const known = interned.get(text);
    if (known !== undefined) return known;
    interned.set(text, text);
    return text;
  };
  for await (const fields of readControlFields(content, FIELDS)) {
    records.push(readRecord(fields, suite, intern));
  }
  return records;
}

/** Joins records into an index that finds them by name and by what they provide. */
export function createPackageIndex(records: Iterable<PackageRecord>, architecture: string): PackageIndex {
  const byName = new Map<string, PackageRecord[]>();
  const provisions = new Map<string, PackageProvision[]>();
  for (const record of records) {
    if (record.architecture !== architecture && record.architecture !== "all") continue;
    const versions = byName.get(record.name);
    if (versions === undefined) byName.set(record.name, [record]);
    else versions.push(record);
  }
  for (const versions of byName.values()) {
    versions.sort((a, b) => compareVersions(b.version, a.version));
    // A pocket repeats what it took over from another; only the newest version counts as a provider.
    const [newest] = versions;
    if (newest === undefined || newest.provides === "") continue;
    for (const { name, version } of parseProvisions(newest)) {
      const provision = { provider: newest, ...(version === undefined ? {} : { version: version.version }) };
      const others = provisions.get(name);
      if (others === undefined) provisions.set(name, [provision]);
      else others.push(provision);
    }
  }
  for (const providers of provisions.values()) providers.sort(compareProviders);
  return { architecture, records: byName, provisions };
}

/** What `record` provides; a version is always an exact one (policy 7.5). */
export function parseProvisions(record: Pick<PackageRecord, "provides">): readonly PackageRelation[] {
  return record.provides === "" ? [] : parseDependencies(record.provides).flat();
}

const PRIORITIES = ["required", "important", "standard", "optional"];

/** The more important package first, then by name. */
function compareProviders(a: PackageProvision, b: PackageProvision): number {
  return (
    rankPriority(a.provider.priority) - rankPriority(b.provider.priority) ||
    (a.provider.name < b.provider.name ? -1 : a.provider.name > b.provider.name ? 1 : 0)
  );
}

function rankPriority(priority: string): number {
  const rank = PRIORITIES.indexOf(priority);
  return rank < 0 ? PRIORITIES.length : rank;
}

function readRecord(
  fields: ReadonlyMap<string, string>,
  suite: string,
  intern: (text: string) => string,
): PackageRecord {
  const name = requireField(fields, "Package");
  const sha256 = requireField(fields, "SHA256").toLowerCase();
  const size = Number(requireField(fields, "Size"));
  const path = requireField(fields, "Filename");
  if (!/^[0-9a-f]{64}$/u.test(sha256) || !Number.isSafeInteger(size) || size < 0 || !isPoolPath(path)) {
    throw invalidRecord(name, "a wrong SHA256, Size or Filename");
  }
  return {
    name,
    version: requireField(fields, "Version"),
    architecture: intern(requireField(fields, "Architecture")),
    suite,
    path,
    sha256,
    size,
    essential: fields.get("Essential") === "yes",
    priority: intern(fields.get("Priority") ?? ""),
    depends: joinFields(fields, "Pre-Depends", "Depends"),
    provides: fields.get("Provides") ?? "",
    conflicts: joinFields(fields, "Conflicts", "Breaks"),
  };
}

function joinFields(fields: ReadonlyMap<string, string>, first: string, second: string): string {
  const before = fields.get(first);
  const after = fields.get(second);
  if (before === undefined || after === undefined) return before ?? after ?? "";
  return `${before}, ${after}`;
}

function requireField(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value !== undefined && value !== "") return value;
  throw invalidRecord(fields.get("Package") ?? "?", `no ${name}`);
}

function isPoolPath(path: string): boolean {
  return !path.startsWith("/") && !path.split("/").some((part) => part === ".." || part === "");
}

function invalidRecord(name: string, what: string): ToolingError {
  return new ToolingError("DEBIAN_INDEX_INVALID", `package "${name}" of the index has ${what}`);
}
