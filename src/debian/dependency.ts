// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { compareVersions } from "./version.ts";

/** `<<`, `<=`, `=`, `>=` or `>>`. */
export type VersionRelation = "<<" | "<=" | "=" | ">=" | ">>";

/** One package wanted, as in `libc6 (>= 2.38)`. */
export interface PackageRelation {
  readonly name: string;
  /** `any`, `native` or an architecture after a colon. Absent: none written. */
  readonly qualifier?: string;
  readonly version?: { readonly relation: VersionRelation; readonly version: string };
  /** Architectures in square brackets, `!` kept. Absent: all. */
  readonly architectures?: readonly string[];
}

/** Alternatives (`a | b`), the preferred one first. One is enough. */
export type Dependency = readonly PackageRelation[];

const RELATION =
  /^(?<name>[A-Za-z0-9][A-Za-z0-9+.-]*)(?::(?<qualifier>[a-z0-9-]+))?\s*(?:\(\s*(?<relation><<|<=|=|>=|>>|<|>)\s*(?<version>[A-Za-z0-9][^\s)]*)\s*\))?\s*(?:\[(?<architectures>[^\]]*)\])?\s*(?:<[^>]*>\s*)*$/u;

/**
 * Parses a relationship field such as Depends, Conflicts or Provides (policy 7.1). Build profiles are ignored.
 * Empty members, which real indexes hold, are passed over.
 *
 * @throws {ToolingError} `DEBIAN_INDEX_INVALID`
 */
export function parseDependencies(field: string): readonly Dependency[] {
  return field
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((group) => group.split("|").map((text) => parseRelation(text.trim())));
}

/** Whether `version` is one that `relation` accepts. An absent constraint accepts all. */
export function satisfies(version: string, constraint: PackageRelation["version"]): boolean {
  if (constraint === undefined) return true;
  const order = compareVersions(version, constraint.version);
  switch (constraint.relation) {
    case "<<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "=":
      return order === 0;
    case ">=":
      return order >= 0;
    case ">>":
      return order > 0;
  }
}

/** `libc6 (>= 2.38)`, for messages. */
export function formatDependency(dependency: Dependency): string {
  return dependency.map(formatRelation).join(" | ");
}

function formatRelation({ name, qualifier, version }: PackageRelation): string {
  const suffix = qualifier === undefined ? "" : `:${qualifier}`;
  return version === undefined
    ? `${name}${suffix}`
    : `${name}${suffix} (${version.relation} ${version.version})`;
}

function parseRelation(text: string): PackageRelation {
  const groups = RELATION.exec(text)?.groups;
  if (groups === undefined) {
    throw new ToolingError("DEBIAN_INDEX_INVALID", `"${text}" is not a package relationship`);
  }
  const { name = "", qualifier, relation, version, architectures } = groups;
  return {
    name,
    ...(qualifier === undefined ? {} : { qualifier }),
    ...(relation === undefined || version === undefined
      ? {}
      : { version: { relation: modernRelation(relation), version } }),
    ...(architectures === undefined
      ? {}
      : { architectures: architectures.split(/\s+/u).filter((name) => name !== "") }),
  };
}

/** The one-character forms are obsolete, and mean "or equal" to dpkg. */
function modernRelation(relation: string): VersionRelation {
  if (relation === "<") return "<=";
  if (relation === ">") return ">=";
  return relation as VersionRelation;
}
