// SPDX-License-Identifier: Apache-2.0
import type { ToolDefinition } from "../catalog/index.ts";
import type { SourcePosition } from "../core/error.ts";
import type { Platform } from "../core/platform.ts";
import type { LockedSession } from "./lockfile.ts";
import type { CompressionChoice } from "./compression.ts";
import type { MirrorWishes } from "./workspace-schema.ts";

/** What all images start from. */
export type BaseWish =
  | { readonly kind: "debian"; readonly suite: string; readonly packages: readonly string[] }
  | { readonly kind: "image"; readonly reference: string };

/** One tool that is wanted. */
export interface ToolWish {
  readonly name: string;
  /** Version range; `*` when any will do. */
  readonly range: string;
  /** The source kind to take. Absent: the first of the definition that has every platform. */
  readonly source?: string | undefined;
  readonly definition: ToolDefinition;
  /** Whether the definition stands in toolbox.yaml itself. */
  readonly own: boolean;
  /** Where the tool is first named. */
  readonly position: SourcePosition;
}

/** What a pull of one platform of an image may weigh. */
export interface PullBudget {
  /** Compressed bytes of all layers. */
  readonly size: number;
  readonly position: SourcePosition;
}

/** One image that is wanted. */
export interface ImageWish {
  readonly name: string;
  readonly extends?: string | undefined;
  readonly title?: string | undefined;
  /** Absent: there is none; that of a parent does not count. It is in no lock, because it changes no image. */
  readonly budget?: PullBudget | undefined;
  /** All tools, the parents' first, each once. */
  readonly tools: readonly string[];
  readonly position: SourcePosition;
}

/** toolbox.yaml, checked and with every default filled in. */
export interface Workspace {
  /** Absolute path of toolbox.yaml. */
  readonly file: string;
  /** Absolute path of its folder. */
  readonly folder: string;
  readonly registry?: string | undefined;
  /** In the fixed order of `PLATFORMS`. */
  readonly platforms: readonly Platform[];
  /** Absent when the workspace makes no image. */
  readonly base?: BaseWish | undefined;
  /** By name, sorted. */
  readonly tools: ReadonlyMap<string, ToolWish>;
  /** In file order, parents before their children. */
  readonly images: ReadonlyMap<string, ImageWish>;
  readonly mirrors: MirrorWishes;
  readonly use?: string | undefined;
  readonly session?: LockedSession | undefined;
  readonly compression: CompressionChoice;
  /** Where a top-level key stands, for messages. */
  readonly positionOf: (key: string) => SourcePosition;
}
