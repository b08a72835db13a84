// SPDX-License-Identifier: Apache-2.0
import { architectureOf, type Platform } from "../core/platform.ts";
import type { InstalledPackage, PackageIndex } from "./package-index.ts";
import { resolveClosure } from "./resolve.ts";

/** One binary package, by coordinates that hold on every mirror. */
export interface LockedPackage {
  readonly name: string;
  /** Full Debian version, binNMU suffix included. */
  readonly version: string;
  readonly architecture: string;
  /** Path below the mirror's root, `pool/...`. */
  readonly path: string;
  /** 64 hex digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Suite it came from. Absent: not known. */
  readonly suite?: string | undefined;
}

/** What to lock. */
export interface LockPackagesRequest {
  readonly platforms: readonly Platform[];
  /** Each `name` or `name=version`. */
  readonly packages: readonly string[];
  /** What is there already on each platform. Absent: nothing. */
  readonly installed?: Readonly<Partial<Record<Platform, readonly InstalledPackage[]>>> | undefined;
}

/** Gives the packages of one architecture. */
export type OpenPackageIndex = (architecture: string) => Promise<PackageIndex>;

/** Packages of every base beside the Essential ones: images must be open to `apt-get install`. */
export const BASE_PACKAGES: readonly string[] = ["apt"];

/**
 * The whole of a base: Essential packages, apt, the wished ones, and all that they need. Per platform, because
 * versions differ between architectures (binNMU suffixes).
 *
 * @throws {ToolingError} `DEBIAN_DEPENDENCY_UNMET`, `VERSION_NOT_FOUND`, and what `openIndex` throws
 */
export async function lockBase(
  request: Omit<LockPackagesRequest, "installed">,
  openIndex: OpenPackageIndex,
): Promise<Partial<Record<Platform, readonly LockedPackage[]>>> {
  const packages = [...BASE_PACKAGES, ...request.packages];
  return lockClosure({ ...request, packages }, openIndex, true);
}

/**
 * The wished packages and what they need beyond `installed`.
 *
 * @throws {ToolingError} `DEBIAN_DEPENDENCY_UNMET`, `VERSION_NOT_FOUND`, and what `openIndex` throws
 */
export async function lockPackages(
  request: LockPackagesRequest,
  openIndex: OpenPackageIndex,
): Promise<Partial<Record<Platform, readonly LockedPackage[]>>> {
  return lockClosure(request, openIndex, false);
}

async function lockClosure(
  { platforms, packages, installed }: LockPackagesRequest,
  openIndex: OpenPackageIndex,
  essential: boolean,
): Promise<Partial<Record<Platform, readonly LockedPackage[]>>> {
  const locked: Partial<Record<Platform, readonly LockedPackage[]>> = {};
  for (const platform of platforms) {
    const index = await openIndex(architectureOf(platform));
    const present = installed?.[platform] ?? [];
    const closure = resolveClosure(index, packages, { essential, installed: present });
    locked[platform] = closure.map(({ name, version, architecture, path, sha256, size, suite }) => ({
      name,
      version,
      architecture,
      path,
      sha256,
      size,
      suite,
    }));
  }
  return locked;
}
