// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { LockedPackage } from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import { architectureOf, type Platform } from "../core/platform.ts";
import {
  type DebianMirror,
  fetchPackageIndex,
  listSuites,
  lockBase,
  type MaterializedPackages,
  materializePackages,
  mayTryNext,
  openKeyring,
  type PackageIndex,
} from "../debian/index.ts";
import type { FetchFile } from "./fetch-file.ts";
import type { Mirrors } from "./mirrors.ts";
import type { SourceContext } from "./tool-source.ts";

/** What reading Debian needs of a context. */
export interface DebianContext extends Pick<
  SourceContext,
  "cacheDir" | "fetchFile" | "now" | "onProgress" | "signal"
> {
  readonly mirrors: Pick<Mirrors, "addressesOf">;
  /** Path of the keyring to trust. Absent: the machine's, else the one of this package. */
  readonly debianKeyring?: string | undefined;
}

/** Indexes of this run: 70,000 packages take a second to read, and every tool asks for the same. */
const indexes = new WeakMap<FetchFile, Map<string, Promise<PackageIndex>>>();

/**
 * The packages of a suite with its updates and security updates, for one architecture.
 *
 * @throws {ToolingError} `MIRROR_NOT_CONFIGURED`, `DEBIAN_SIGNATURE_INVALID`, `DEBIAN_INDEX_INVALID`,
 * `DEBIAN_INDEX_EXPIRED`, `DEBIAN_INDEX_ROLLBACK`, and what the fetcher throws
 */
export async function openPackageIndex(
  suite: string,
  architecture: string,
  context: DebianContext,
): Promise<PackageIndex> {
  const known = indexes.get(context.fetchFile) ?? new Map<string, Promise<PackageIndex>>();
  indexes.set(context.fetchFile, known);
  const key = `${suite}/${architecture}`;
  const index = known.get(key) ?? readIndex(suite, architecture, context);
  known.set(key, index);
  // What failed once may do better the next time.
  index.catch(() => known.delete(key));
  return index;
}

async function readIndex(suite: string, architecture: string, context: DebianContext): Promise<PackageIndex> {
  return fetchPackageIndex(architecture, {
    mirrors: await openMirrors(context),
    suites: listSuites(suite),
    keyring: await openKeyring({ path: context.debianKeyring }),
    now: context.now(),
    stateFile: join(context.cacheDir, "debian", "release-dates.json"),
    signal: context.signal,
    onProgress: context.onProgress,
  });
}

/**
 * Resolves a Debian base: Essential packages, apt, the wished ones and what they need.
 *
 * @throws {ToolingError} `DEBIAN_DEPENDENCY_UNMET`, `VERSION_NOT_FOUND`, and as {@link openPackageIndex}
 */
export async function lockDebianBase(
  suite: string,
  packages: readonly string[],
  context: DebianContext & Pick<SourceContext, "platforms">,
): Promise<Readonly<Partial<Record<Platform, readonly LockedPackage[]>>>> {
  return lockBase({ platforms: context.platforms, packages }, (architecture) =>
    openPackageIndex(suite, architecture, context),
  );
}

/** Optional parts of {@link readDebianPackages}. */
export interface ReadDebianPackagesOptions {
  /** The packages are a whole base, whose package database is written too. Absent: they are laid on one. */
  readonly isBase?: boolean;
  /** Paths to leave out, as dpkg's path-exclude; `!` keeps. Absent: none. */
  readonly exclude?: readonly string[] | undefined;
}

/**
 * Fetches and unpacks locked packages. The caller disposes of them when their content was read.
 *
 * @throws {ToolingError} `FILE_NOT_FOUND` for a package that has left the mirrors, `PATH_CONFLICT`,
 * `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, and what the fetcher throws
 */
export async function readDebianPackages(
  packages: readonly LockedPackage[],
  platform: Platform,
  context: DebianContext,
  { isBase = false, exclude }: ReadDebianPackagesOptions = {},
): Promise<MaterializedPackages> {
  let mirrors: Promise<readonly DebianMirror[]> | undefined;
  const fetchPackage = async (locked: LockedPackage, options: OperationOptions): Promise<string> => {
    mirrors ??= openMirrors(context);
    return fetchFromAny(await mirrors, locked, options);
  };
  return materializePackages(packages, fetchPackage, {
    temporaryFolder: join(context.cacheDir, "tmp"),
    baseArchitecture: isBase ? architectureOf(platform) : undefined,
    exclude,
    signal: context.signal,
    onProgress: context.onProgress,
  });
}

async function fetchFromAny(
  mirrors: readonly DebianMirror[],
  { name, version, path, sha256, size }: LockedPackage,
  options: OperationOptions,
): Promise<string> {
  let failure: ToolingError | undefined;
  for (const mirror of mirrors) {
    try {
      return await mirror.fetchFile({ path, sha256, size }, options);
    } catch (error) {
      if (!mayTryNext(error)) throw error;
      if (error.code !== "FILE_NOT_FOUND") failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  throw new ToolingError("FILE_NOT_FOUND", `package "${name}" ${version} has left the Debian mirrors`, {
    hint: 'Run "toolbox update" to lock what they have now: they keep the newest version only.',
  });
}

async function openMirrors({ mirrors, fetchFile }: DebianContext): Promise<readonly DebianMirror[]> {
  const addresses = await mirrors.addressesOf("debian");
  // Security updates stand beside the archive on most mirrors, under a name of their own.
  const siblings = addresses
    .filter((address) => address.endsWith("/debian"))
    .map((address) => `${address}-security`);
  return [...new Set([...addresses, ...siblings])].map((address) => ({
    fetchFile: async (
      { path, name = path.slice(path.lastIndexOf("/") + 1), sha256, size, maxSize },
      options,
    ) => {
      // "+" of a version must not be read as a space, as some mirrors do.
      const url = `${address}/${path.split("/").map(encodeURIComponent).join("/")}`;
      return (await fetchFile({ url, name, sha256, size, maxSize }, options)).path;
    },
  }));
}
