// SPDX-License-Identifier: Apache-2.0
import semver from "semver";
import { ToolingError } from "../../core/error.ts";

/** What a registry says of one version of a package. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  /** Names of peers that are wanted only where they are there anyway. */
  readonly optionalPeers: ReadonlySet<string>;
  /** Names of dependencies that the archive holds itself. */
  readonly bundled: ReadonlySet<string>;
  /** Range of Node.js versions. Absent: any. */
  readonly node?: string | undefined;
  readonly os: readonly string[];
  readonly cpu: readonly string[];
  readonly libc: readonly string[];
  readonly isDeprecated: boolean;
  /** Subresource Integrity, sha512. Absent: the registry has only weaker ones, or none. */
  readonly integrity?: string | undefined;
  /** Address of the archive now. Never locked. */
  readonly tarball?: string | undefined;
}

/** All versions of a package. */
export interface Packument {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Newest first. */
  readonly versions: readonly PackageManifest[];
}

/**
 * Reads a registry's document about a package. Versions that are no versions, or another package's, are left out.
 *
 * @throws {ToolingError} `JSON_INVALID`
 */
export function parsePackument(name: string, text: string): Packument {
  const document = objectOf(parseJson(name, text));
  const versions = Object.values(objectOf(document["versions"])).flatMap((value) =>
    parseManifest(name, objectOf(value)),
  );
  return {
    name,
    tags: textsOf(document["dist-tags"]),
    versions: versions.toSorted((a, b) => semver.rcompare(a.version, b.version, { loose: true })),
  };
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ToolingError(
      "JSON_INVALID",
      `npm registry answers for "${name}" with something that is no JSON`,
      {
        hint: "Check the registry that this machine's npm or toolbox.yaml names.",
        cause: error,
      },
    );
  }
}

function parseManifest(name: string, value: Readonly<Record<string, unknown>>): readonly PackageManifest[] {
  const version = value["version"];
  if (
    value["name"] !== name ||
    typeof version !== "string" ||
    semver.valid(version, { loose: true }) === null
  )
    return [];
  const dist = objectOf(value["dist"]);
  const peers = objectOf(value["peerDependenciesMeta"]);
  const dependencies = textsOf(value["dependencies"]);
  const deprecated = value["deprecated"];
  return [
    {
      name,
      version,
      dependencies,
      optionalDependencies: textsOf(value["optionalDependencies"]),
      peerDependencies: textsOf(value["peerDependencies"]),
      optionalPeers: new Set(Object.keys(peers).filter((peer) => objectOf(peers[peer])["optional"] === true)),
      bundled: bundledOf(value["bundleDependencies"] ?? value["bundledDependencies"], dependencies),
      node: textOf(objectOf(value["engines"])["node"]),
      os: listOf(value["os"]),
      cpu: listOf(value["cpu"]),
      libc: listOf(value["libc"]),
      isDeprecated: deprecated !== undefined && deprecated !== false && deprecated !== "",
      integrity: /(?:^|\s)(sha512-[A-Za-z0-9+/]{86}==)(?:\?\S*)?(?=\s|$)/.exec(
        textOf(dist["integrity"]) ?? "",
      )?.[1],
      tarball: textOf(dist["tarball"]),
    },
  ];
}

function bundledOf(value: unknown, dependencies: Readonly<Record<string, string>>): ReadonlySet<string> {
  return new Set(value === true ? Object.keys(dependencies) : listOf(value));
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(objectOf(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(entries);
}

function listOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
