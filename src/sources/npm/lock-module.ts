// SPDX-License-Identifier: Apache-2.0
import semver from "semver";
import type { BundledModule, LockedModule } from "../../catalog/index.ts";
import { ToolingError } from "../../core/error.ts";
import type { SourceContext } from "../tool-source.ts";
import { findInstallScript, type InstallScript } from "./install-script.ts";
import { type ModuleFile, openModule } from "./module-archive.ts";
import { type PackageJson, readPackageJson } from "./package-json.ts";
import { fetchModule } from "./registry-client.ts";
import type { ResolvedPackage } from "./resolver.ts";
import type { TargetNode } from "./target-node.ts";

/** A package of the lock, and what was found in its archive. */
export interface DescribedModule {
  readonly module: LockedModule;
  /** Its own, and those of packages that it brings along. */
  readonly scripts: readonly InstallScript[];
  readonly notes: readonly string[];
}

const BUNDLED = /^((?:node_modules\/(?:@(?!\.)[\w.~-]+\/)?(?!\.)[\w.~-]+\/)+)package\.json$/;

/**
 * Fetches a package that was chosen, and looks into its archive.
 *
 * @throws {ToolingError} `NPM_DEPENDENCY_UNMET` without a sha512, `ARCHIVE_INVALID` for another package's archive, and
 * what fetching and reading it throws
 */
export async function lockModule(
  { path, manifest }: ResolvedPackage,
  target: TargetNode,
  context: SourceContext,
): Promise<DescribedModule> {
  const { name, version, integrity } = manifest;
  const title = `${name} ${version}`;
  if (integrity === undefined) {
    throw new ToolingError("NPM_DEPENDENCY_UNMET", `"${title}" has no sha512 in the npm registry`, {
      hint: "Choose another version, or a registry that says what its archives are.",
    });
  }
  const archive = await fetchModule({ name, version, integrity }, context);
  const files = await openModule(archive, title, context);
  const own = await readPackageJson(files, title);
  if (own.name !== name || !isSameVersion(own.version, version)) {
    throw new ToolingError("ARCHIVE_INVALID", `archive of "${title}" holds "${own.name} ${own.version}"`, {
      hint: "Do not use this package; tell whoever made it.",
    });
  }
  const inner = await readBundled(files, title);
  const scripts = [{ folder: "", json: own }, ...inner].flatMap(
    ({ folder, json }) => findInstallScript(json, files, folder, target) ?? [],
  );
  const bundled = inner.map(({ folder, json }): BundledModule => ({
    path: folder.slice(0, -1),
    name: json.name,
    version: json.version,
    ...(json.license !== undefined && { license: json.license }),
  }));
  const hasOwnLock = files.some((file) => file.path === "npm-shrinkwrap.json");
  return {
    module: {
      path,
      name,
      version,
      integrity,
      size: archive.size,
      ...(own.license !== undefined && { license: own.license }),
      ...(bundled.length > 0 && { bundled }),
    },
    scripts,
    notes: hasOwnLock ? [`"${title}" has an npm-shrinkwrap.json, which is not followed`] : [],
  };
}

interface InnerPackage {
  /** With a slash at its end. */
  readonly folder: string;
  readonly json: PackageJson;
}

/** Packages that stand in the archive of another. */
async function readBundled(files: readonly ModuleFile[], title: string): Promise<readonly InnerPackage[]> {
  const found: InnerPackage[] = [];
  for (const { path } of files) {
    const folder = BUNDLED.exec(path)?.[1];
    if (folder === undefined) continue;
    const json = await readPackageJson(files, title, path);
    if (json.name !== "") found.push({ folder, json });
  }
  return found.toSorted((a, b) => (a.folder < b.folder ? -1 : 1));
}

/** `v1.0.0` and `1.0.0+build` are 1.0.0. */
function isSameVersion(a: string, b: string): boolean {
  return a === b || (semver.valid(a, true) !== null && semver.eq(a, b, true));
}
