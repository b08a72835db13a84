// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { Platform } from "../core/platform.ts";
import type { BuiltLayer } from "./build-layer.ts";
import { describeOwner } from "./layer-files.ts";
import type { LayerRecord } from "./layer-record.ts";
import { checkPathOwners, type OwnedLayer } from "./path-owner.ts";
import type { PlannedLayer } from "./plan.ts";

/** Most layers of an image: engines stop at about 125, and leave room for what users put on top. */
const LAYER_LIMIT = 100;

/** A planned layer with what was made of it. */
export interface MadeLayer extends BuiltLayer {
  readonly layer: PlannedLayer;
}

/** One platform of an image, before it is put together. */
export interface ImageParts {
  readonly image: string;
  readonly platform: Platform;
  readonly base: LayerRecord;
  readonly tools: readonly MadeLayer[];
  /** Non-directories of the top layer. */
  readonly topPaths: readonly string[];
}

/**
 * Refuses layers that do not go together, before anything of the image is written.
 *
 * @throws {ToolingError} `BINARY_WRONG_LIBC`, `LAYER_LIMIT_EXCEEDED`, `PATH_CONFLICT`
 */
export function checkImage({ image, platform, base, tools, topPaths }: ImageParts): void {
  const count = base.blobs.length + tools.length + 1;
  if (count > LAYER_LIMIT) {
    throw new ToolingError("LAYER_LIMIT_EXCEEDED", `image "${image}" has ${count} layers for ${platform}`, {
      hint: `Choose a base of fewer layers: at most ${LAYER_LIMIT} work on every engine.`,
    });
  }
  const owned = tools.map(({ layer, record }) => ({ owner: describeOwner(layer.tools), record }));
  for (const { owner, record } of owned) checkLibc(platform, base, record, owner);
  const top: OwnedLayer = {
    owner: "toolbox itself",
    record: { files: Object.fromEntries(topPaths.map((path) => [path, "top"])), packages: [] },
  };
  checkPathOwners(base, [...owned, top]);
}

/** A program runs where the loader of its C library is: in the base, or in the layer that brings the program. */
function checkLibc(platform: Platform, base: LayerRecord, record: LayerRecord, owner: string): void {
  for (const [libc, path] of Object.entries(record.libcs)) {
    if (libc === "none" || hasLoader(libc, base) || hasLoader(libc, record)) continue;
    const found = libc === "other" ? "a C library that is neither glibc nor musl" : libc;
    const available = ["glibc", "musl"].filter((name) => hasLoader(name, base)).join(" and ") || "none";
    throw new ToolingError(
      "BINARY_WRONG_LIBC",
      `${owner} has "${path}" for ${platform}, linked against ${found}, but the C library of the base is ${available}`,
      { hint: "Choose a source that is static or made for the base's C library." },
    );
  }
}

const LOADERS: Readonly<Record<string, RegExp>> = {
  glibc: /(?:^|\/)ld-linux[^/]*$/m,
  musl: /(?:^|\/)ld-musl-[^/]+$/m,
};

function hasLoader(libc: string, { files }: LayerRecord): boolean {
  const loader = LOADERS[libc];
  return loader !== undefined && Object.keys(files).some((path) => loader.test(path));
}
