// SPDX-License-Identifier: Apache-2.0
import type { ArchiveEntry } from "../archive/index.ts";
import type { GoToolchain, LockedToolPlatform, SourceDefinition, SourceKind } from "../catalog/index.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import type { InstalledPackage } from "../debian/index.ts";
import type { ContentSource } from "../oci/index.ts";
import type { FetchFile } from "./fetch-file.ts";
import type { Mirrors } from "./mirrors.ts";

/** Where the command itself runs, in Go's words; never an image's platform. */
export interface HostPlatform {
  readonly os: "linux" | "darwin" | "windows";
  readonly arch: "amd64" | "arm64";
}

/** The Debian base that a tool lands on, for sources that leave out what the base has. */
export interface SourceBase {
  /** Debian suite, such as `trixie`. */
  readonly suite: string;
  /** The base's own packages per platform. */
  readonly packages: Readonly<Partial<Record<Platform, readonly InstalledPackage[]>>>;
}

/** What every source needs from outside. */
export interface SourceContext extends OperationOptions {
  /** Downloads one file, verified, through the shared cache. */
  readonly fetchFile: FetchFile;
  /** The product's cache folder, absolute. */
  readonly cacheDir: string;
  readonly mirrors: Mirrors;
  /** Platforms to lock for. */
  readonly platforms: readonly Platform[];
  /**
   * Reads the base that tools land on. Absent: there is none.
   *
   * @throws {ToolingError} `FILE_NOT_FOUND` when it is not Debian, and what the image that it stands in throws
   */
  readonly openBase?: (() => Promise<SourceBase>) | undefined;
  readonly host: HostPlatform;
  /** The environment of the caller, from which a source takes proxy and CA settings by name, and nothing else. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Go toolchains that may be locked, newest first. */
  readonly toolchains: readonly GoToolchain[];
  readonly now: () => Date;
  /** Opens the registry or store that an image reference names. Absent: images cannot be read. */
  readonly openImage?:
    | ((reference: string, options?: OperationOptions) => Promise<ContentSource>)
    | undefined;
  /** Folder of toolbox.yaml, absolute, which `file` sources are relative to. */
  readonly workspaceDir: string;
}

/** Which version of a tool is wanted. */
export interface VersionWish {
  /** `1.34`, `^3.19`, `latest`, or an exact version with or without `v`. */
  readonly range: string;
}

/** What a source answers to a wish. */
export interface LockedSource {
  /** The tool's own version, without `v`. */
  readonly version: string;
  /** One entry for each platform of the context. */
  readonly platforms: Readonly<Partial<Record<Platform, LockedToolPlatform>>>;
}

/** The tool that a definition belongs to. */
export interface SourceTool {
  readonly name: string;
  readonly binaries: readonly string[];
}

/** One kind of source. */
export interface ToolSource<
  Definition extends SourceDefinition = SourceDefinition,
  Locked extends LockedToolPlatform = LockedToolPlatform,
> {
  readonly kind: SourceKind;
  /**
   * Versions that can be had now, without `v`, newest first. Empty when the source cannot list them, where an
   * exact wish still works.
   *
   * @throws {ToolingError} `MIRROR_NOT_CONFIGURED`, `NETWORK_UNREACHABLE`, `DOWNLOAD_FAILED`
   */
  listVersions(definition: Definition, tool: SourceTool, context: SourceContext): Promise<readonly string[]>;
  /**
   * Resolves a wish to one version with the digests of everything it needs, for all platforms of the context.
   *
   * @throws {ToolingError} `VERSION_NOT_FOUND`, `PLATFORM_UNAVAILABLE`, and what the fetcher throws
   */
  lockTool(
    definition: Definition,
    tool: SourceTool,
    wish: VersionWish,
    context: SourceContext,
  ): Promise<LockedSource>;
  /**
   * The tool's files as they stand in an image, such as `usr/local/bin/helm`: sorted, parents first, owned by
   * root, content verified. The entries stay readable while the cache folder does.
   *
   * @throws {ToolingError} `CHECKSUM_MISMATCH`, `BUILD_FAILED`, and what the fetcher throws
   */
  materializeTool(
    locked: Locked,
    platform: Platform,
    context: SourceContext,
  ): Promise<readonly ArchiveEntry[]>;
}
