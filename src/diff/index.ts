// SPDX-License-Identifier: Apache-2.0
/**
 * How two images differ: index, platforms, configs, layers, files, and the first byte of each.
 * Knows image-spec v1.1.1 and tar, and reads from any store; what has one digest is not opened, and no layer is held
 * in memory. Knows nothing of tools, recipes, engines or the command line.
 */
export type { DocumentDiff } from "./compare-documents.ts";
export type { FileAspect, MemberFacts } from "./member-facts.ts";
export type { FileChange, TarDiff } from "./compare-tars.ts";
export type { ValueChange } from "./compare-values.ts";
export {
  diffImages,
  type DiffImagesOptions,
  type ImageDiff,
  type PlatformContentDiff,
  type PlatformDiff,
} from "./diff-images.ts";
export type { LayerDiff } from "./diff-layers.ts";
export type { ByteDifference } from "./first-difference.ts";
export type { ImageEnd, PlatformDocuments } from "./image-end.ts";
export type { LayerEnd } from "./pair-layers.ts";
export type { TarByte } from "./tar-byte.ts";
