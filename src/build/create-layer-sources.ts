// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, fileEntryOf, sortEntries } from "../archive/index.ts";
import type { LockedPackage, SourceKind } from "../catalog/index.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import { formatDpkgExcludes, UNNEEDED_PATHS } from "../debian/index.ts";
import type { ContentSource } from "../oci/index.ts";
import type { SourceContext, ToolSource } from "../sources/index.ts";
import type { LayerFiles, LayerSources } from "./layer-sources.ts";

/** What {@link createLayerSources} is made from. */
export interface LayerSourcesOptions {
  readonly context: SourceContext;
  /** Gives the source of a kind, loading it when it is first asked for. */
  readonly sourceOf: (kind: SourceKind) => Promise<ToolSource> | ToolSource;
  /** The registry or store that a base image is read from. */
  readonly openImage: (reference: string, options?: OperationOptions) => Promise<ContentSource>;
}

/**
 * Files of layers out of the machine's real sources. Debian packages are unpacked here and not by their tool source,
 * because a layer also needs to know what the package database is to say of them.
 */
export function createLayerSources({ context, sourceOf, openImage }: LayerSourcesOptions): LayerSources {
  return {
    openImage,
    readBase: async (packages, platform, options = {}) =>
      await openBase(packages, platform, { ...context, ...options }),
    readTool: async (locked, platform, options = {}) => {
      if (locked.source === "debian") {
        const { packages, keep, aliases } = locked;
        const files = await openPackages(packages, platform, { ...context, ...options }, { keep });
        return { ...files, entries: sortEntries([...files.entries, ...linkAliases(aliases)]) };
      }
      const source = await sourceOf(locked.source);
      const entries = await source.materializeTool(locked, platform, { ...context, ...options });
      if (!("packages" in locked) || locked.packages.length === 0) return { entries, packages: [] };
      const below = await openPackages(locked.packages, platform, { ...context, ...options });
      return { ...below, entries: sortEntries([...below.entries, ...entries]) };
    },
  };
}

/** A base brings its own package database, and the rule by which packages that are added later leave files out too. */
async function openBase(
  packages: readonly LockedPackage[],
  platform: Platform,
  context: SourceContext,
): Promise<LayerFiles> {
  const { readDebianPackages } = await import("../sources/index.ts");
  const options = { isBase: true, exclude: UNNEEDED_PATHS };
  const { entries, dispose } = await readDebianPackages(packages, platform, context, options);
  const hasDpkg = packages.some(({ name }) => name === "dpkg");
  const rule = hasDpkg ? [fileEntryOf("etc/dpkg/dpkg.cfg.d/toolbox", formatDpkgExcludes())] : [];
  return { entries: sortEntries([...entries, ...rule]), packages: [], dispose };
}

/** Links on everybody's PATH to the programs of a package. */
function linkAliases(aliases: Readonly<Record<string, string>> = {}): ArchiveEntry[] {
  return Object.entries(aliases).map(([name, program]) => ({
    type: "symlink",
    path: `usr/local/bin/${name}`,
    target: `/usr/bin/${program}`,
    mode: 0o777,
    uid: 0,
    gid: 0,
  }));
}

/** What is laid on a base leaves to the top layer what the package database has once. */
async function openPackages(
  packages: readonly LockedPackage[],
  platform: Platform,
  context: SourceContext,
  { keep = [] }: { readonly keep?: readonly string[] | undefined } = {},
): Promise<LayerFiles> {
  const { readDebianPackages } = await import("../sources/index.ts");
  const exclude = [...UNNEEDED_PATHS, ...keep.map((pattern) => `!${pattern}`)];
  const { entries, stanzas, claims, dispose } = await readDebianPackages(packages, platform, context, {
    exclude,
  });
  return { entries, packages: stanzas, claims: [claims], dispose };
}
