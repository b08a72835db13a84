// SPDX-License-Identifier: Apache-2.0
/**
 * Where the bytes of tools come from: one file per kind of source, one interface, one way to download.
 * Knows upstream conventions (module proxies, release files, checksum files); what it hands on is verified.
 * Knows nothing of layers or of toolbox.yaml, and holds no address of a mirror.
 */
export {
  type DebianContext,
  lockDebianBase,
  readDebianPackages,
  type ReadDebianPackagesOptions,
} from "./debian-archive.ts";
export { createFetcher, type FetcherOptions } from "./fetcher.ts";
export { type FetchedFile, type FetchFile, type FileRequest } from "./fetch-file.ts";
export { type GoDefaultsOptions, readGoDefaults } from "./go-defaults.ts";
export { readGoClient } from "./go-client.ts";
export {
  type ClientSettings,
  createMirrors,
  type GoSettings,
  type MirrorKind,
  type MirrorOptions,
  type Mirrors,
  type MirrorWishes,
  type NpmSettings,
} from "./mirrors.ts";
export { openToolSource } from "./open-tool-source.ts";
export {
  type HostPlatform,
  type LockedSource,
  type SourceBase,
  type SourceContext,
  type SourceTool,
  type ToolSource,
  type VersionWish,
} from "./tool-source.ts";
