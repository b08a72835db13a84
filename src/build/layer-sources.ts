// SPDX-License-Identifier: Apache-2.0
import type { ArchiveEntry } from "../archive/index.ts";
import type { LockedPackage, LockedToolPlatform } from "../catalog/index.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import type { PackageClaims } from "../debian/index.ts";
import type { ContentSource } from "../oci/index.ts";

/** Files as they stand in an image, and what the package database is to say of them. */
export interface LayerFiles {
  /** Sorted (`sortEntries`), content verified. */
  readonly entries: readonly ArchiveEntry[];
  /** Stanzas of `/var/lib/dpkg/status`, which no layer below the top may hold. Empty but for Debian packages. */
  readonly packages: readonly string[];
  /** What those packages add to other files of the package database. Absent: nothing. */
  readonly claims?: readonly PackageClaims[] | undefined;
  /** Frees what the content is read from. Absent: there is nothing to free. */
  readonly dispose?: (() => Promise<void>) | undefined;
}

/** Where the files of layers come from. */
export interface LayerSources {
  /** The whole tree of a Debian base, its own `/var/lib/dpkg/status` included; `packages` is empty. */
  readBase(
    packages: readonly LockedPackage[],
    platform: Platform,
    options?: OperationOptions,
  ): Promise<LayerFiles>;
  /** The files of one tool. */
  readTool(locked: LockedToolPlatform, platform: Platform, options?: OperationOptions): Promise<LayerFiles>;
  /** The store or registry that a base image is read from. */
  openImage(reference: string, options?: OperationOptions): Promise<ContentSource>;
}
