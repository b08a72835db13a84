// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { ToolingError } from "../core/error.ts";
import { digestOf } from "../oci/index.ts";
import { checkBudgets, measureImage } from "./image-size.ts";
import type { ImageReport, LayerReport } from "./report.ts";

const IMAGES = {
  small: { tools: ["a"] },
  large: { extends: "small", tools: ["a", "b", "c"] },
};

function layer(
  kind: LayerReport["kind"],
  name: string,
  size: number,
  tools: readonly string[] = [],
): LayerReport {
  const digest = digestOf(name);
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
  return {
    kind,
    name,
    tools,
    diffID: digest,
    digest,
    mediaType,
    size,
    uncompressedSize: size * 3,
    cached: true,
  };
}

const BASE = layer("base", "base", 60_000_000);
const A = layer("tool", "a", 20_000_000, ["a"]);

function report(name: string, layers: readonly LayerReport[]): ImageReport {
  const descriptor = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: digestOf(name),
    size: 1,
  };
  const platform = { platform: "linux/amd64", manifest: descriptor, config: descriptor, layers } as const;
  return { name, reference: name, index: descriptor, platforms: [platform] };
}

const LARGE = report("large", [
  BASE,
  A,
  layer("tool", "shared", 5_000_000, ["b", "c"]),
  layer("top", "top", 10_000),
]);
const [PLATFORM] = LARGE.platforms;
if (PLATFORM === undefined) throw new Error("no platform");

describe("measureImage", () => {
  test("adds up what a pull moves and what it unpacks to", () => {
    expect(measureImage({ name: "small" }, PLATFORM, { images: IMAGES })).toEqual({
      size: 85_010_000,
      uncompressedSize: 255_030_000,
    });
  });

  test("tells what a holder of the parent pulls: the tools that are new, and the top", () => {
    const { overParent } = measureImage(LARGE, PLATFORM, { images: IMAGES });
    expect(overParent).toEqual({ image: "small", size: 5_010_000 });
  });
});

describe("checkBudgets", () => {
  const position = { file: "/w/toolbox.yaml", line: 7, column: 21 };

  test("accepts an image of just its budget, and images without one", () => {
    const images = [LARGE, report("small", [BASE, A])];
    checkBudgets({ images }, new Map([["large", { size: 85_010_000, position }]]));
  });

  test("refuses one byte more, with the place of the budget and the largest layers", () => {
    const budgets = new Map([["large", { size: 85_009_999, position }]]);
    let error: unknown;
    try {
      checkBudgets({ images: [LARGE] }, budgets);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ToolingError);
    expect(error).toMatchObject({
      code: "BUDGET_EXCEEDED",
      message: 'image "large" for linux/amd64 weighs 85.01 MB to pull, and may weigh 85.01 MB',
      hint: "Its largest layers are base 60.00 MB, a 20.00 MB, shared 5.00 MB: make one smaller, or raise the budget.",
      position,
    });
  });
});
