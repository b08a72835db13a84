// SPDX-License-Identifier: Apache-2.0
import type { LockedPackage, LockedTool } from "../catalog/index.ts";
import type { Platform } from "../core/platform.ts";
import type { CompressionChoice } from "./compression.ts";
import type { LockedLimits } from "./session-limits.ts";

/** The format that this package writes. */
export const LOCK_VERSION = 1;

/** What `base:` resolved to. */
export type LockedBase =
  | {
      readonly kind: "debian";
      readonly suite: string;
      /** The wished packages, sorted; `platforms` holds their closure. */
      readonly packages: readonly string[];
      readonly platforms: Readonly<Partial<Record<Platform, readonly LockedPackage[]>>>;
    }
  | {
      readonly kind: "image";
      readonly reference: string;
      /** Of the index, or of the manifest when the reference is not an index. */
      readonly digest: string;
      /** Of each platform's manifest. */
      readonly platforms: Readonly<Partial<Record<Platform, string>>>;
    };

/** One image to build. */
export interface LockedFlavour {
  readonly extends?: string | undefined;
  /** All tools, the parents' first. */
  readonly tools: readonly string[];
  readonly title?: string | undefined;
}

/** The image that commands run in when the workspace uses one that is built elsewhere. */
export interface LockedUse {
  /** As written in toolbox.yaml. */
  readonly reference: string;
  /** Of the index, or of the manifest when the reference is not an index. */
  readonly digest: string;
  /** Of each platform's manifest. */
  readonly platforms: Readonly<Partial<Record<Platform, string>>>;
}

/** A host path that is shown inside. */
export interface LockedMount {
  /** On the host: absolute, below home (`~/...`), or relative to the workspace folder. */
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** What a command that runs in the image may see, with all defaults filled in. */
export interface LockedSession {
  /** The image of this workspace to run in. Absent: `use`. */
  readonly image?: string | undefined;
  readonly mounts: readonly LockedMount[];
  /** `NAME` passes a variable of the host on, `NAME=value` sets it. */
  readonly env: readonly string[];
  /** Kinds of credentials, such as `kubeconfig`. */
  readonly credentials: readonly string[];
  /** The one context of kubeconfig that is carried. Absent: all of them. */
  readonly context?: string | undefined;
  /** The namespace to start in. Absent: the context's own. */
  readonly namespace?: string | undefined;
  /** Absent: what the credentials need, else the host's. */
  readonly network?: "host" | "default" | "none" | undefined;
  /** Absent: no limits. */
  readonly limits?: LockedLimits | undefined;
}

/** The wish that a locked tool answers, so that a changed wish is noticed. */
export interface LockedWish {
  readonly range: string;
  readonly source?: string | undefined;
  /** sha256 (hex) of the canonical JSON of a definition that stands in toolbox.yaml. Absent: the catalog's. */
  readonly definition?: string | undefined;
}

/**
 * toolbox.lock: what the wishes of toolbox.yaml resolved to. It holds coordinates and digests, never the
 * address of a mirror, and is all that build, help and run need to read.
 */
export interface Lockfile {
  readonly lockVersion: typeof LOCK_VERSION;
  /** sha256 (hex) of the wishes; differs from {@link digestWishes} when the lock is stale. */
  readonly workspace: string;
  readonly platforms: readonly Platform[];
  /** Absent when the workspace makes no image. */
  readonly base?: LockedBase | undefined;
  readonly compression: CompressionChoice;
  readonly registry?: string | undefined;
  readonly tools: Readonly<Record<string, LockedTool>>;
  readonly wishes: Readonly<Record<string, LockedWish>>;
  readonly images: Readonly<Record<string, LockedFlavour>>;
  readonly use?: LockedUse | undefined;
  readonly session?: LockedSession | undefined;
}
