// SPDX-License-Identifier: Apache-2.0
/**
 * Debian binary packages without a Debian machine: versions, signed indexes, dependency resolution, unpacking, and
 * what maintainer scripts would have done, declared instead of run.
 * Downloads arrive as functions. Knows nothing of images, locks or tools, and holds no mirror's address.
 */
export { type AptSource, listArchiveAddresses, parseAptSources } from "./apt-sources.ts";
export { type ControlParagraph, formatControl, parseControl } from "./control-file.ts";
export {
  type DebianMirror,
  fetchPackageIndex,
  type FetchPackageIndexOptions,
  listSuites,
  mayTryNext,
  type MirrorFile,
  type SuiteRequest,
} from "./fetch-package-index.ts";
export { type ImageFiles, isClaimed, mergeClaims, type PackageClaims } from "./finish/package-claims.ts";
export { parseInstalledPackages } from "./installed-packages.ts";
export {
  BASE_PACKAGES,
  lockBase,
  type LockedPackage,
  lockPackages,
  type LockPackagesRequest,
  type OpenPackageIndex,
} from "./lock-packages.ts";
export {
  type FetchPackage,
  type MaterializedPackages,
  materializePackages,
  type MaterializePackagesOptions,
} from "./materialize-packages.ts";
export { type InstalledPackage, type PackageIndex, type PackageRecord } from "./package-index.ts";
export { resolveClosure, type ResolveClosureOptions } from "./resolve.ts";
export { type Keyring, MACHINE_KEYRING, openKeyring, type OpenKeyringOptions } from "./signed-release.ts";
export { formatDpkgExcludes, UNNEEDED_PATHS } from "./unneeded-paths.ts";
export { compareVersions, isVersion } from "./version.ts";
