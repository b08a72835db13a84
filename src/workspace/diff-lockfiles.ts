// SPDX-License-Identifier: Apache-2.0
import { formatCanonicalJson } from "../core/json.ts";
import type { Lockfile } from "./lockfile.ts";

/** What happened to one tool between two locks. */
export interface ToolChange {
  readonly name: string;
  /** `rebuilt`: same version, other bytes or another source. */
  readonly kind: "added" | "removed" | "updated" | "rebuilt";
  /** Absent when added. */
  readonly from?: string | undefined;
  /** Absent when removed. */
  readonly to?: string | undefined;
}

/** What differs between two locks, by name. */
export interface LockDiff {
  /** There was no lock before. */
  readonly created: boolean;
  readonly tools: readonly ToolChange[];
  readonly baseChanged: boolean;
  readonly useChanged: boolean;
  /** Images whose list of tools, parent or title differs, and those that came or went. */
  readonly images: readonly string[];
  /** Session, platforms, compression or registry differ. */
  readonly settingsChanged: boolean;
  /** Whether the files would be the same bytes. */
  readonly same: boolean;
}

/** Compares two locks; an absent one has nothing in it. */
export function diffLockfiles(before: Lockfile | undefined, after: Lockfile): LockDiff {
  return {
    created: before === undefined,
    tools: diffTools(before?.tools ?? {}, after.tools),
    baseChanged: !isEqual(before?.base, after.base),
    useChanged: !isEqual(before?.use, after.use),
    images: names(before?.images ?? {}, after.images).filter(
      (name) => !isEqual(before?.images[name], after.images[name]),
    ),
    settingsChanged: !isEqual(settings(before), settings(after)),
    same: isEqual(before, after),
  };
}

function diffTools(before: Lockfile["tools"], after: Lockfile["tools"]): ToolChange[] {
  return names(before, after).flatMap((name): ToolChange[] => {
    const from = before[name];
    const to = after[name];
    if (from === undefined) return [{ name, kind: "added", to: to?.version }];
    if (to === undefined) return [{ name, kind: "removed", from: from.version }];
    if (from.version !== to.version) return [{ name, kind: "updated", from: from.version, to: to.version }];
    if (isEqual(from.platforms, to.platforms)) return [];
    return [{ name, kind: "rebuilt", from: from.version, to: to.version }];
  });
}

function settings(lock: Lockfile | undefined): unknown {
  return {
    session: lock?.session,
    platforms: lock?.platforms,
    compression: lock?.compression,
    registry: lock?.registry,
  };
}

function names(before: object, after: object): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && formatCanonicalJson(a) === formatCanonicalJson(b));
}
