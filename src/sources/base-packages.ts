// SPDX-License-Identifier: Apache-2.0
import type { LockedPackage } from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import type { Platform } from "../core/platform.ts";
import { type InstalledPackage, lockPackages } from "../debian/index.ts";
import { openPackageIndex } from "./debian-archive.ts";
import type { SourceBase, SourceContext } from "./tool-source.ts";

/** The Debian packages that a tool of another kind of source will find in its image. */
export interface BasePackages {
  /** What the base lacks, in the order in which it is unpacked; empty when it has all. */
  readonly missing: readonly LockedPackage[];
  /** What will be there: what was missing, then the base's own. */
  readonly all: readonly InstalledPackage[];
}

/**
 * Sees to it that packages are there: those of the base, else the ones of its Debian suite with all that they need.
 *
 * @param tools What wants them, for errors: `tools from a Python index`.
 * @throws {ToolingError} `CONFIG_INVALID` without a base, `FILE_NOT_FOUND` on a base that is not Debian,
 * `VERSION_NOT_FOUND`, `DEBIAN_DEPENDENCY_UNMET`, and as reading the indexes of Debian
 */
export async function openBasePackages(
  platform: Platform,
  wanted: readonly string[],
  tools: string,
  context: SourceContext,
): Promise<BasePackages> {
  if (context.openBase === undefined) {
    throw new ToolingError("CONFIG_INVALID", `${tools} have no base to be laid on`, {
      hint: 'Write "base: { debian: trixie }" in toolbox.yaml, or name another source for the tool.',
    });
  }
  const base = await context.openBase();
  const missing = await lockMissing(platform, wanted, base, context);
  return { missing, all: [...missing, ...(base.packages[platform] ?? [])] };
}

/** A base that has everything asks no mirror. */
async function lockMissing(
  platform: Platform,
  wanted: readonly string[],
  { suite, packages: installed }: SourceBase,
  context: SourceContext,
): Promise<readonly LockedPackage[]> {
  const present = installed[platform] ?? [];
  if (wanted.every((name) => present.some((each) => each.name === name))) return [];
  const locked = await lockPackages({ platforms: [platform], packages: wanted, installed }, (architecture) =>
    openPackageIndex(suite, architecture, context),
  );
  return locked[platform] ?? [];
}

/** The upstream part of a Debian version: `1:20.19.2+dfsg-1` gives `20.19.2+dfsg`. */
export function upstreamVersionOf(name: string, packages: readonly InstalledPackage[]): string {
  const version = packages.find((each) => each.name === name)?.version ?? "";
  return version.replace(/^\d+:/, "").replace(/-[^-]*$/, "");
}
