// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, sortEntries } from "../archive/index.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import { ContentSpool } from "./content-spool.ts";
import { addAlternatives, readAlternatives } from "./finish/finish-alternatives.ts";
import {
  addDatabase,
  addPackageLists,
  formatStatusStanza,
  listInterests,
} from "./finish/finish-dpkg-database.ts";
import type { PackageClaims } from "./finish/package-claims.ts";
import { addMergedFolders } from "./finish/finish-merged-usr.ts";
import { FINISH_STEPS } from "./finish-tree.ts";
import type { LockedPackage } from "./lock-packages.ts";
import { readPackageFile, type UnpackedPackage } from "./package-file.ts";
import { PackageTree } from "./package-tree.ts";
import { createPathFilter } from "./path-filter.ts";

/** Gives the path of a verified .deb on this machine. */
export type FetchPackage = (locked: LockedPackage, options: OperationOptions) => Promise<string>;

/** How to unpack. */
export interface MaterializePackagesOptions extends OperationOptions {
  /** Folder for the temporary file that holds all content; as large as the packages unpacked. */
  readonly temporaryFolder: string;
  /** Architecture of a base, whose database is written whole. Absent: packages to be laid on a base. */
  readonly baseArchitecture?: string | undefined;
  /** Paths to leave out, as dpkg's path-exclude (`/usr/share/man/*`), or with `!` to keep. Absent: none. */
  readonly exclude?: readonly string[] | undefined;
}

/** The files of a package set. */
export interface MaterializedPackages {
  /** Sorted, ready to be written. Their content is readable until `dispose`. */
  readonly entries: readonly ArchiveEntry[];
  /** One stanza of /var/lib/dpkg/status for each package, without the empty line, in order of name. */
  readonly stanzas: readonly string[];
  /** Those of packages laid on a base, to be merged with it. Empty for a base, which holds its own. */
  readonly claims: PackageClaims;
  readonly dispose: () => Promise<void>;
}

/** Packages decompressed at once: the archive folder keeps its own threads busy with two. */
const AT_ONCE = 2;

/**
 * Unpacks packages and finishes what their scripts would do, without running any. Equal packages give equal entries
 * on every host, whichever is unpacked first.
 *
 * @throws {ToolingError} `PATH_CONFLICT`, `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `DISK_FULL`, and what `fetchPackage` throws
 */
export async function materializePackages(
  locked: readonly LockedPackage[],
  fetchPackage: FetchPackage,
  options: MaterializePackagesOptions,
): Promise<MaterializedPackages> {
  const spool = await ContentSpool.open(options.temporaryFolder);
  try {
    const packages = await unpackAll(locked, fetchPackage, spool, options);
    const tree = new PackageTree();
    for (const item of packages) tree.addPackage(item);
    const note = (text: string): void =>
      options.onProgress?.({ type: "noted", what: "debian packages", note: text });
    for (const step of FINISH_STEPS) await step(tree, packages, note);
    const alternatives = readAlternatives(tree, packages, note);
    addPackageLists(tree, packages);
    const { baseArchitecture } = options;
    if (baseArchitecture !== undefined) {
      addMergedFolders(tree);
      addAlternatives(tree, alternatives);
      addDatabase(tree, packages, baseArchitecture);
    }
    return {
      entries: sortEntries(tree.listEntries()),
      stanzas: packages.map(formatStatusStanza),
      claims:
        baseArchitecture === undefined
          ? { alternatives, triggers: listInterests(packages) }
          : { alternatives: [], triggers: [] },
      dispose: async () => spool.close(),
    };
  } catch (error) {
    await spool.close();
    throw error;
  }
}

/** Merging starts from this fixed order; the order in which packages arrive must not show. */
async function unpackAll(
  locked: readonly LockedPackage[],
  fetchPackage: FetchPackage,
  spool: ContentSpool,
  { signal: caller, onProgress, exclude = [] }: MaterializePackagesOptions,
): Promise<readonly UnpackedPackage[]> {
  const excludes = createPathFilter(exclude);
  const inOrder = locked.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return mapConcurrently(inOrder, { limit: AT_ONCE, signal: caller }, async (item, signal) => {
    const file = await fetchPackage(item, { signal, onProgress });
    const unpacked = await readPackageFile(file, spool, { excludes, signal });
    const { Package, Version, Architecture } = unpacked.control;
    if (Package !== item.name || Version !== item.version || Architecture !== item.architecture) {
      throw new ToolingError(
        "ARCHIVE_INVALID",
        `"${item.path}" holds package "${Package}" ${Version} ${Architecture}, not "${item.name}" ${item.version} ${item.architecture}`,
        { hint: "Lock again; if it stays the same, tell whoever keeps the mirror." },
      );
    }
    return unpacked;
  });
}
