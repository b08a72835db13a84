// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import {
  type Dependency,
  formatDependency,
  type PackageRelation,
  parseDependencies,
  satisfies,
} from "./dependency.ts";
import {
  type InstalledPackage,
  type PackageIndex,
  type PackageRecord,
  parseProvisions,
} from "./package-index.ts";

/** A package of the selection, with what it means to the others. */
interface Chosen {
  readonly name: string;
  readonly version: string;
  readonly provides: readonly PackageRelation[];
  readonly conflicts: readonly PackageRelation[];
  /** Absent: it was there before. */
  readonly record?: PackageRecord;
}

/**
 * The packages chosen so far, depth first. A choice among alternatives that leads nowhere is taken back, so the
 * state is a trail that can be cut.
 */
export class PackageSelection {
  readonly #index: PackageIndex;
  readonly #chosen = new Map<string, Chosen>();
  readonly #trail: Chosen[] = [];
  readonly #chain: string[] = [];

  constructor(index: PackageIndex, installed: readonly InstalledPackage[]) {
    this.#index = index;
    for (const { name, version, provides, conflicts } of installed) {
      const known = index.records.get(name)?.find((record) => record.version === version);
      const offered = provides ?? (known ?? index.records.get(name)?.[0])?.provides ?? "";
      this.#push({
        name,
        version,
        provides: parseProvisions({ provides: offered }),
        conflicts: parseConflicts({ conflicts: conflicts ?? known?.conflicts ?? "" }),
      });
    }
  }

  has(name: string): boolean {
    return this.#chosen.has(name);
  }

  versionOf(name: string): string | undefined {
    return this.#chosen.get(name)?.version;
  }

  /** What was added to what was there before. */
  listAdded(): PackageRecord[] {
    return this.#trail.flatMap(({ record }) => (record === undefined ? [] : [record]));
  }

  /** Adds a package without its dependencies. @throws {ToolingError} `DEBIAN_DEPENDENCY_UNMET` on a conflict. */
  addAlone(record: PackageRecord): void {
    const present = this.#chosen.get(record.name);
    if (present !== undefined) {
      if (present.version === record.version) return;
      throw this.#unmet(
        `package "${record.name}" ${record.version} is needed where ${present.version} is there already`,
      );
    }
    const chosen: Chosen = {
      name: record.name,
      version: record.version,
      provides: parseProvisions(record),
      conflicts: parseConflicts(record),
      record,
    };
    for (const other of this.#trail) {
      if (excludes(chosen, other) || excludes(other, chosen)) {
        throw this.#unmet(
          `package "${record.name}" ${record.version} conflicts with "${other.name}" ${other.version}`,
        );
      }
    }
    this.#push(chosen);
  }

  /** Adds all that a chosen package needs. @throws {ToolingError} `DEBIAN_DEPENDENCY_UNMET` */
  addDependencies(record: PackageRecord): void {
    this.#chain.push(record.name);
    for (const dependency of parseDependencies(record.depends)) this.#satisfy(dependency);
    this.#chain.pop();
  }

  #satisfy(dependency: Dependency): void {
    const relevant = dependency.filter((relation) => this.#isRelevant(relation));
    if (relevant.length === 0 && dependency.length > 0 && dependency.every(isRestricted)) return;
    if (relevant.some((relation) => this.#isSatisfied(relation))) return;
    let first: unknown;
    const candidates = relevant.flatMap((relation) => this.#listCandidates(relation));
    for (const candidate of candidates.filter(({ name }) => !this.has(name))) {
      const trail = this.#trail.length;
      const chain = this.#chain.length;
      try {
        this.addAlone(candidate);
        this.addDependencies(candidate);
        return;
      } catch (error) {
        if (!(error instanceof ToolingError) || error.code !== "DEBIAN_DEPENDENCY_UNMET") throw error;
        first ??= error;
        this.#cut(trail, chain);
      }
    }
    throw first ?? this.#unmet(`"${formatDependency(dependency)}" cannot be had${this.#explain(relevant)}`);
  }

  /** Where a name is there already in a version that does not do, that is what has to be said. */
  #explain(relations: readonly PackageRelation[]): string {
    for (const { name } of relations) {
      const present = this.#chosen.get(name);
      if (present !== undefined) return `: ${present.version} of "${name}" is there already`;
      const newest = this.#index.records.get(name)?.[0];
      if (newest !== undefined) return `: the newest "${name}" is ${newest.version}`;
    }
    return "";
  }

  #isRelevant({ qualifier, architectures }: PackageRelation): boolean {
    const { architecture } = this.#index;
    if (
      qualifier !== undefined &&
      qualifier !== "any" &&
      qualifier !== "native" &&
      qualifier !== architecture
    ) {
      return false;
    }
    if (architectures === undefined || architectures.length === 0) return true;
    if (architectures[0]?.startsWith("!") === true) return !architectures.includes(`!${architecture}`);
    return architectures.includes(architecture) || architectures.includes("any");
  }

  #isSatisfied(relation: PackageRelation): boolean {
    const present = this.#chosen.get(relation.name);
    if (present !== undefined && satisfies(present.version, relation.version)) return true;
    return this.#trail.some((chosen) => isProvided(chosen, relation));
  }

  #listCandidates(relation: PackageRelation): readonly PackageRecord[] {
    const real = (this.#index.records.get(relation.name) ?? []).filter(({ version }) =>
      satisfies(version, relation.version),
    );
    const providers = (this.#index.provisions.get(relation.name) ?? []).filter(({ version }) =>
      version === undefined ? relation.version === undefined : satisfies(version, relation.version),
    );
    return [...real, ...providers.map(({ provider }) => provider)];
  }

  #push(chosen: Chosen): void {
    this.#chosen.set(chosen.name, chosen);
    this.#trail.push(chosen);
  }

  #cut(trail: number, chain: number): void {
    for (const { name } of this.#trail.splice(trail)) this.#chosen.delete(name);
    this.#chain.length = chain;
  }

  #unmet(message: string): ToolingError {
    const chain = this.#chain.map((name) => `"${name}"`).join(" > ");
    return new ToolingError(
      "DEBIAN_DEPENDENCY_UNMET",
      chain === "" ? message : `${message}; needed by ${chain}`,
      {
        hint: "Take packages of one suite, and update the base when it is older than what is added to it.",
      },
    );
  }
}

function parseConflicts(record: Pick<PackageRecord, "conflicts">): readonly PackageRelation[] {
  return record.conflicts === "" ? [] : parseDependencies(record.conflicts).flat();
}

/** A package never excludes itself, so that it may replace what it provides (policy 7.6.2). */
function excludes(a: Chosen, b: Chosen): boolean {
  if (a.name === b.name) return false;
  return a.conflicts.some(
    (relation) =>
      (relation.name === b.name && satisfies(b.version, relation.version)) || isProvided(b, relation),
  );
}

function isProvided(by: Chosen, { name, version }: PackageRelation): boolean {
  return by.provides.some((provision) => {
    if (provision.name !== name) return false;
    if (provision.version === undefined) return version === undefined;
    return satisfies(provision.version.version, version);
  });
}

function isRestricted({ architectures }: PackageRelation): boolean {
  return architectures !== undefined && architectures.length > 0;
}
