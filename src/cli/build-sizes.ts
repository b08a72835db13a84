// SPDX-License-Identifier: Apache-2.0
import {
  type BuildPlan,
  type BuildReport,
  type ImageReport,
  type ImageSize,
  measureImage,
  type PlatformReport,
} from "../build/index.ts";
import { formatColumns, formatSize } from "./measure.ts";

/** A platform of a built image with what it weighs. */
export type MeasuredPlatform = PlatformReport & ImageSize;

/** A built image with what each of its platforms weighs. */
export type MeasuredImage = Omit<ImageReport, "platforms"> & {
  readonly platforms: readonly MeasuredPlatform[];
};

/** Adds the sizes to a report, as `toolbox build --json` prints them. */
export function measureReport({ images }: BuildReport, { lockfile }: BuildPlan): readonly MeasuredImage[] {
  return images.map((image) => ({
    ...image,
    platforms: image.platforms.map((platform) => ({
      ...platform,
      ...measureImage(image, platform, lockfile),
    })),
  }));
}

/** What a pull and the layers weigh: a table for each image, and what a holder of its parent pulls. */
export function formatLayerSizes(images: readonly MeasuredImage[]): string[] {
  return images.flatMap((image) => [
    `${image.name}:`,
    ...formatColumns([
      ["PLATFORM", "LAYER", "PULL", "UNPACKED", "STATE"],
      ...image.platforms.flatMap(sizeRows),
    ]).map((line) => `  ${line}`),
    ...image.platforms.flatMap(({ platform, overParent }) =>
      overParent === undefined
        ? []
        : [`  Whoever has ${overParent.image} pulls ${formatSize(overParent.size)} for ${platform}.`],
    ),
  ]);
}

function sizeRows({ platform, layers, size, uncompressedSize }: MeasuredPlatform): string[][] {
  return [
    ...layers.map((layer) => [
      platform,
      layer.name === "shared" ? `shared (${layer.tools.join(", ")})` : layer.name,
      formatSize(layer.size),
      formatSize(layer.uncompressedSize),
      layer.cached ? "was there" : "new",
    ]),
    [platform, "all", formatSize(size), formatSize(uncompressedSize), ""],
  ];
}
