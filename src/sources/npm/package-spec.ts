// SPDX-License-Identifier: Apache-2.0
import semver from "semver";

/** What a dependency asks for. */
export type PackageSpec = RegistrySpec | ForeignSpec;

/** A package of a registry. */
export interface RegistrySpec {
  readonly kind: "range" | "tag";
  /** Name in the registry, which differs from the folder's where the dependency is an alias. */
  readonly name: string;
  /** A range that semver understands, or the name of a tag. */
  readonly wanted: string;
}

/** Something that comes from elsewhere: a repository, an address, a folder. It is refused where it is needed. */
export interface ForeignSpec {
  readonly kind: "foreign";
  readonly name: string;
  /** As it was written, without credentials. */
  readonly wanted: string;
}

/** Names become folders, so what could lead out of one, or hide in it, is none. */
const NAME = /^(?:@(?!\.)[\w.~-]+\/)?(?!\.)[\w.~-]+$/;
const ALIAS = /^npm:((?:@[^/@\s]+\/)?[^/@\s]+)(?:@(.*))?$/s;
/** Protocols, paths and `owner/repository`. */
const ELSEWHERE = /^[.~/]|:|\/|\.(?:tgz|tar|tar\.gz)$/i;

/**
 * Reads the right side of a dependency as npm does: `^1.2`, `latest`, `npm:other@^2`, or an origin of its own.
 *
 * @param name The left side: the name of the folder.
 */
export function parsePackageSpec(name: string, text: string): PackageSpec {
  const wanted = text.trim();
  const foreign = { kind: "foreign", name, wanted: wanted.replace(/\/\/[^/@]*@/, "//") } as const;
  if (!NAME.test(name)) return foreign;
  const [, alias, rest] = ALIAS.exec(wanted) ?? [];
  if (alias !== undefined) return parsePackageSpec(alias, rest ?? "");
  if (wanted === "" || wanted === "*") return { kind: "range", name, wanted: "*" };
  const range = semver.validRange(wanted, { loose: true });
  if (range !== null) return { kind: "range", name, wanted };
  if (ELSEWHERE.test(wanted) || encodeURIComponent(wanted) !== wanted) return foreign;
  return { kind: "tag", name, wanted };
}

/** Whether a package is what a dependency asks for. A tag is content with any version. */
export function satisfiesSpec(
  spec: PackageSpec,
  { name, version }: { readonly name: string; readonly version: string },
): boolean {
  if (spec.kind === "foreign" || spec.name !== name) return false;
  if (spec.kind === "tag" || spec.wanted === "*") return true;
  return semver.satisfies(version, spec.wanted, { loose: true });
}

/**
 * Splits `name`, `@scope/name` or either with `@range` behind it. Absent: it is malformed, or it names an origin that
 * is no registry.
 */
export function parsePackageWish(
  text: string,
): { readonly name: string; readonly wanted: string } | undefined {
  const [, name, wanted] = /^((?:@[^/@\s]+\/)?[^/@\s]+)(?:@(.+))?$/s.exec(text.trim()) ?? [];
  if (name === undefined || parsePackageSpec(name, wanted ?? "*").kind === "foreign") return undefined;
  return { name, wanted: wanted ?? "*" };
}
