// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { type Platform, PLATFORMS } from "../core/platform.ts";
import { suggestName } from "../core/suggestion.ts";
import type { LockedTool, LockedToolPlatform } from "../catalog/index.ts";
import {
  type Compression,
  type LockedBase,
  type LockedFlavour,
  type Lockfile,
  resolveCompression,
} from "../workspace/index.ts";
import { checkPackages } from "./check-packages.ts";
import { formatLayerKey } from "./layer-key.ts";
import { compareText, groupTools, type LayerGroup, type NamedTool } from "./layer-order.ts";

/** Tool layers of one image before small tools start to share one. */
const TOOL_LAYER_BUDGET = 60;
/** Engines refuse images of more than about 125 layers; 98 leave room for one base layer and the top. */
const TOOL_LAYER_LIMIT = 98;

/** A layer that can be made from the lock alone. */
export interface PlannedLayer {
  readonly kind: "base" | "tool";
  /** `base`, the tool's name, or `shared` for the layer that small tools share. */
  readonly name: string;
  /** See `formatLayerKey`. */
  readonly key: string;
  readonly platform: Platform;
  /** Names of the tools inside, sorted; empty for the base. */
  readonly tools: readonly string[];
}

/** One platform of an image: base first, then tools; the top layer is made last, from these. */
export interface PlannedPlatform {
  readonly platform: Platform;
  readonly layers: readonly PlannedLayer[];
}

/** One image of a plan. */
export interface PlannedImage {
  readonly name: string;
  readonly platforms: readonly PlannedPlatform[];
}

/** What a build will make, as plain data. Layers used by several images are the same object. */
export interface BuildPlan {
  readonly lockfile: Lockfile;
  readonly compression: Compression;
  /** Sorted by name. */
  readonly images: readonly PlannedImage[];
}

/** Optional parts of {@link planBuild}. */
export interface PlanBuildOptions {
  /** Names of the images to build. Absent: all of the lock. */
  readonly images?: readonly string[] | undefined;
  /** Platforms to build, in any order. Absent: all of the lock. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Part of every layer key. Absent: what the lock says. */
  readonly compression?: Compression | undefined;
}

/**
 * Decides the layers of each image, from the lock alone and in linear time.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `PLATFORM_UNAVAILABLE`, `TOOL_UNKNOWN`, `LOCK_INVALID`,
 * `LAYER_LIMIT_EXCEEDED`, `PATH_CONFLICT`
 */
export function planBuild(lockfile: Lockfile, options: PlanBuildOptions = {}): BuildPlan {
  const compression = options.compression ?? resolveCompression(lockfile.compression);
  const platforms = choosePlatforms(lockfile, options.platforms);
  const planner = new LayerPlanner(lockfile, compression);
  const names = [...new Set(options.images ?? Object.keys(lockfile.images))].sort(compareText);
  const groups = new Map<string, readonly LayerGroup[]>();
  const images = names.map((name): PlannedImage => {
    const layers = groupImage(lockfile, name, groups);
    for (const platform of platforms) checkPackages(name, platform, layers.flat());
    return {
      name,
      platforms: platforms.map((platform) => ({
        platform,
        layers: [
          planner.planBase(platform),
          ...layers.map((group) => planner.planTools(group, platform, name)),
        ],
      })),
    };
  });
  return { lockfile, compression, images };
}

/**
 * The base's layer on one platform, or the layer of the same tools on another platform than it was planned for.
 *
 * @throws {ToolingError} `PLATFORM_UNAVAILABLE`, `LOCK_INVALID`
 */
export function planLayerFor(
  platform: Platform,
  tools: readonly string[],
  { lockfile, compression }: Pick<BuildPlan, "lockfile" | "compression">,
): PlannedLayer {
  const planner = new LayerPlanner(lockfile, compression);
  return tools.length === 0
    ? planner.planBase(platform)
    : planner.planTools(findTools(lockfile, "", tools), platform, "");
}

function choosePlatforms(lockfile: Lockfile, wanted = lockfile.platforms): readonly Platform[] {
  const missing = wanted.find((platform) => !lockfile.platforms.includes(platform));
  if (missing !== undefined) {
    throw new ToolingError("PLATFORM_UNAVAILABLE", `platform "${missing}" is not in the lock`, {
      hint: `Use one of ${lockfile.platforms.join(", ")}, or add it to "platforms" and run "toolbox lock".`,
    });
  }
  return PLATFORMS.filter((platform) => wanted.includes(platform));
}

/** The layers of an image: its parent's as they are, then its own. Memoised: parents are shared. */
function groupImage(
  lockfile: Lockfile,
  name: string,
  done: Map<string, readonly LayerGroup[]>,
  path: readonly string[] = [],
): readonly LayerGroup[] {
  const known = done.get(name);
  if (known !== undefined) return known;
  const image = findImage(lockfile, name);
  if (path.includes(name)) throw cyclic([...path, name]);
  const parents =
    image.extends === undefined ? [] : groupImage(lockfile, image.extends, done, [...path, name]);
  const inherited = new Set(parents.flatMap((group) => group.map((tool) => tool.name)));
  const own = [...new Set(image.tools)].filter((tool) => !inherited.has(tool));
  const groups = [...parents, ...groupOwn(name, findTools(lockfile, name, own), parents.length)];
  done.set(name, groups);
  return groups;
}

function groupOwn(image: string, own: readonly NamedTool[], parents: number): readonly LayerGroup[] {
  if (own.length === 0) return [];
  if (parents >= TOOL_LAYER_LIMIT) {
    throw new ToolingError("LAYER_LIMIT_EXCEEDED", `image "${image}" needs more than 100 layers`, {
      hint: 'Shorten its chain of "extends": each level takes one layer at least.',
    });
  }
  return groupTools(own, Math.max(1, TOOL_LAYER_BUDGET - parents));
}

function findImage(lockfile: Lockfile, name: string): LockedFlavour {
  const image = Object.hasOwn(lockfile.images, name) ? lockfile.images[name] : undefined;
  if (image !== undefined) return image;
  const near = suggestName(name, Object.keys(lockfile.images));
  throw new ToolingError("IMAGE_NOT_FOUND", `image "${name}" is not in the lock`, {
    hint: near === undefined ? 'Add it to "images" and run "toolbox lock".' : `Did you mean "${near}"?`,
  });
}

function findTools(lockfile: Lockfile, image: string, names: readonly string[]): readonly NamedTool[] {
  return names.map((name) => {
    const tool = Object.hasOwn(lockfile.tools, name) ? lockfile.tools[name] : undefined;
    if (tool !== undefined) return { name, tool };
    throw new ToolingError("TOOL_UNKNOWN", `tool "${name}" of image "${image}" is not in the lock`, {
      hint: 'Run "toolbox lock".',
    });
  });
}

function cyclic(path: readonly string[]): ToolingError {
  return new ToolingError("LOCK_INVALID", `images extend each other: "${path.join('" -> "')}"`, {
    hint: 'Run "toolbox lock" to write the lock again.',
  });
}

/** Makes each layer once, however many images use it. */
class LayerPlanner {
  readonly #lockfile: Lockfile;
  readonly #compression: Compression;
  readonly #toolKeys = new Map<string, string>();
  readonly #layers = new Map<string, PlannedLayer>();
  readonly #bases = new Map<Platform, PlannedLayer>();

  constructor(lockfile: Lockfile, compression: Compression) {
    this.#lockfile = lockfile;
    this.#compression = compression;
  }

  planBase(platform: Platform): PlannedLayer {
    const known = this.#bases.get(platform);
    if (known !== undefined) return known;
    const key = formatLayerKey({
      base: identifyBase(this.#lockfile.base, platform),
      compression: this.#compression,
      platform,
    });
    const layer: PlannedLayer = { kind: "base", name: "base", key, platform, tools: [] };
    this.#bases.set(platform, layer);
    return layer;
  }

  planTools(group: LayerGroup, platform: Platform, image: string): PlannedLayer {
    const keys = group.map((tool) => this.#keyOf(tool, platform, image));
    const [only] = keys;
    const key = keys.length === 1 && only !== undefined ? only : formatLayerKey({ members: keys, platform });
    const known = this.#layers.get(key);
    if (known !== undefined) return known;
    const tools = group.map(({ name }) => name);
    const name = tools.length === 1 ? (tools[0] ?? "") : "shared";
    const layer: PlannedLayer = { kind: "tool", name, key, platform, tools };
    this.#layers.set(key, layer);
    return layer;
  }

  #keyOf({ name, tool }: NamedTool, platform: Platform, image: string): string {
    const id = `${platform} ${name}`;
    const known = this.#toolKeys.get(id);
    if (known !== undefined) return known;
    const entry = entryOf(name, tool, platform, image);
    const key = formatLayerKey({
      // What Debian packages add depends on what the base has; all else is the same over any base.
      base: addsPackages(entry) ? this.planBase(platform).key : undefined,
      compression: this.#compression,
      entry,
      name,
      platform,
    });
    this.#toolKeys.set(id, key);
    return key;
  }
}

function addsPackages(entry: LockedToolPlatform): boolean {
  return entry.source === "debian" || ("packages" in entry && entry.packages.length > 0);
}

function identifyBase(base: LockedBase | undefined, platform: Platform): unknown {
  if (base === undefined) {
    throw new ToolingError("LOCK_INVALID", "lock has images but no base", {
      hint: 'Declare "base" in toolbox.yaml and run "toolbox lock".',
    });
  }
  const entry = base.platforms[platform];
  if (entry !== undefined) return { kind: base.kind, entry };
  throw new ToolingError("PLATFORM_UNAVAILABLE", `the base is not locked for "${platform}"`, {
    hint: 'Run "toolbox lock".',
  });
}

function entryOf(
  name: string,
  tool: LockedTool,
  platform: Platform,
  image: string,
): NonNullable<LockedTool["platforms"][Platform]> {
  const entry = tool.platforms[platform];
  if (entry !== undefined) return entry;
  throw new ToolingError("PLATFORM_UNAVAILABLE", `tool "${name}" of image "${image}" has no "${platform}"`, {
    hint: "Choose another source for it, or leave that platform out.",
  });
}
