// SPDX-License-Identifier: Apache-2.0
import type { LockedModule, LockedPackage, LockedToolPlatform } from "../catalog/index.ts";
import { formatCanonicalJson, type Json } from "../core/json.ts";
import type { Platform } from "../core/platform.ts";
import type { NamedTool } from "./layer-order.ts";
import type { LayerRecord } from "./layer-record.ts";

/** Where programs are looked for, in the order of PATH. */
const PROGRAM_FOLDERS = ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"];

/**
 * The text of `/etc/toolbox/manifest.json`: what is inside, where it came from and how to use it. It holds no time
 * and nothing of the host that built it.
 *
 * @param recordOf The layer that a tool stands in.
 */
export function formatInventory(
  image: string,
  platform: Platform,
  tools: readonly NamedTool[],
  recordOf: (tool: string) => Pick<LayerRecord, "files"> | undefined,
): string {
  return formatCanonicalJson(
    {
      formatVersion: 1,
      image,
      platform,
      tools: tools.map(({ name, tool }) => {
        const { summary, homepage, license, examples, binaries } = tool.about;
        const entry = tool.platforms[platform];
        const files = recordOf(name)?.files ?? {};
        return {
          name,
          version: tool.version,
          changed: tool.changed,
          summary,
          homepage,
          license,
          examples,
          binaries: binaries.map((binary) => describeBinary(binary, files)),
          source: entry && describeSource(entry),
        };
      }),
    },
    { indent: 2 },
  );
}

function describeBinary(name: string, files: LayerRecord["files"]): Json {
  const path = PROGRAM_FOLDERS.map((folder) => `${folder}/${name}`).find((path) =>
    Object.hasOwn(files, path),
  );
  if (path === undefined) return { name };
  const [kind, sha256] = files[path]?.split(":") ?? [];
  return { name, path: `/${path}`, sha256: kind === "file" ? sha256 : undefined };
}

/** The lock's coordinates, without what only a build needs. */
function describeSource(entry: LockedToolPlatform): Json {
  switch (entry.source) {
    case "go": {
      const { source, module, version, moduleSum, unconfirmed, toolchain } = entry;
      return { kind: source, module, package: entry.package, version, moduleSum, unconfirmed, toolchain };
    }
    case "debian":
      return { kind: entry.source, packages: entry.packages.map(describePackage) };
    case "pypi": {
      const wheels = entry.wheels.map(({ project, version, name, sha256 }) => ({
        project,
        version,
        name,
        sha256,
      }));
      return {
        kind: entry.source,
        python: entry.python,
        wheels,
        packages: entry.packages.map(describePackage),
      };
    }
    case "npm":
      return {
        kind: entry.source,
        node: entry.node,
        modules: entry.modules.flatMap(describeModule),
        packages: entry.packages.map(describePackage),
      };
    case "release":
      return { kind: entry.source, url: entry.url, sha256: entry.file.sha256 };
    case "file":
      return { kind: entry.source, path: entry.path, sha256: entry.file.sha256 };
    case "image":
      return { kind: entry.source, reference: entry.reference, digest: entry.digest };
  }
}

/** A package and those that its archive brings along. */
function describeModule({ path, name, version, integrity, license, bundled = [] }: LockedModule): Json[] {
  return [
    { path, name, version, purl: formatNpmUrl(name, version), integrity, license },
    ...bundled.map((inner) => ({
      path: `${path}/${inner.path}`,
      name: inner.name,
      version: inner.version,
      purl: formatNpmUrl(inner.name, inner.version),
      license: inner.license,
    })),
  ];
}

/** The package's purl (package-url specification, type npm). */
function formatNpmUrl(name: string, version: string): string {
  const path = name.split("/").map(encodeURIComponent).join("/");
  return `pkg:npm/${path}@${encodeURIComponent(version)}`;
}

function describePackage({ name, version, architecture, sha256 }: LockedPackage): Json {
  return { name, version, architecture, sha256 };
}
