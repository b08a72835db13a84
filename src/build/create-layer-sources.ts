// SPDX-License-Identifier: Apache-2.0
import { sortEntries } from "../archive/index.ts";
import type { LockedPackage, SourceKind } from "../catalog/index.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import type { ContentSource } from "../oci/index.ts";
import type { ReadDebianPackagesOptions, SourceContext, ToolSource } from "../sources/index.ts";
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
      await openPackages(packages, platform, { ...context, ...options }, { isBase: true }),
    readTool: async (locked, platform, options = {}) => {
      if (locked.source === "debian") {
        return await openPackages(locked.packages, platform, { ...context, ...options });
      }
      const source = await sourceOf(locked.source);
      const entries = await source.materializeTool(locked, platform, { ...context, ...options });
      if (locked.source !== "pypi" || locked.packages.length === 0) return { entries, packages: [] };
      const below = await openPackages(locked.packages, platform, { ...context, ...options });
      return { ...below, entries: sortEntries([...below.entries, ...entries]) };
    },
  };
}

/** A base brings its own package database; what is laid on one leaves its stanzas to the top layer. */
async function openPackages(
  packages: readonly LockedPackage[],
  platform: Platform,
  context: SourceContext,
  options: ReadDebianPackagesOptions = {},
): Promise<LayerFiles> {
  const { readDebianPackages } = await import("../sources/index.ts");
  const { entries, stanzas, dispose } = await readDebianPackages(packages, platform, context, options);
  return { entries, packages: options.isBase === true ? [] : stanzas, dispose };
}
