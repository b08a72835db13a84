// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { formatCanonicalJson } from "../core/json.ts";
import type { LockedBase, LockedFlavour, LockedWish, Lockfile } from "./lockfile.ts";
import type { BaseWish, ToolWish, Workspace } from "./workspace.ts";

/** Why a tool has to be resolved again. */
export type LockReason =
  | "new"
  | "wish-changed"
  | "platforms-changed"
  | "base-changed"
  | "local-file"
  | "update";

/** One tool to resolve. */
export interface PlannedTool {
  readonly name: string;
  readonly reason: LockReason;
  /** The version to stay at when it still exists; absent when any version in the range will do. */
  readonly pinned?: string | undefined;
}

/** What has to happen to turn the previous lock into one that answers the wishes. */
export interface LockPlan {
  /** Tools that stay as they are, by name. */
  readonly keep: readonly string[];
  readonly lock: readonly PlannedTool[];
  /** Tools that are no longer wished. */
  readonly remove: readonly string[];
  readonly base: "keep" | "lock" | "none";
  readonly use: "keep" | "lock" | "none";
  /** Whether the lock file would differ even if every tool resolved to what it was. */
  readonly stale: boolean;
}

/** Optional parts of {@link planLock}. */
export interface PlanLockOptions {
  /** Tools to move to the newest version in their range; `"all"` moves the base and the used image as well. */
  readonly update?: readonly string[] | "all";
}

/** Sources that only bring what the base lacks. */
const LAID_ON_BASE: ReadonlySet<string> = new Set(["debian", "npm", "pypi"]);

/** Says which tools need (re)locking. The lock is stable: an unchanged wish keeps what it resolved to. */
export function planLock(
  workspace: Workspace,
  previous: Lockfile | undefined,
  { update = [] }: PlanLockOptions = {},
): LockPlan {
  const everything = update === "all";
  const base = planBase(workspace.base, previous?.base, { workspace, everything });
  const keep: string[] = [];
  const lock: PlannedTool[] = [];
  for (const wish of workspace.tools.values()) {
    const moved = everything || update.includes(wish.name);
    const planned = moved
      ? { name: wish.name, reason: "update" as const }
      : planTool(wish, previous, workspace, base);
    if (planned === undefined) keep.push(wish.name);
    else lock.push(planned);
  }
  const use = planUse(workspace, previous, everything);
  return {
    keep,
    lock,
    remove: Object.keys(previous?.tools ?? {}).filter((name) => !workspace.tools.has(name)),
    base,
    use,
    stale: previous?.workspace !== digestWishes(workspace),
  };
}

/** Whether carrying out the plan could change the lock file. Tools from local files alone do not count. */
export function changesLock(plan: LockPlan): boolean {
  const resolves = plan.lock.some(({ reason }) => reason !== "local-file");
  return resolves || plan.remove.length > 0 || plan.base === "lock" || plan.use === "lock" || plan.stale;
}

function planTool(
  wish: ToolWish,
  previous: Lockfile | undefined,
  { platforms }: Workspace,
  base: LockPlan["base"],
): PlannedTool | undefined {
  const { name } = wish;
  const locked = member(previous?.tools, name);
  const before = member(previous?.wishes, name);
  if (locked === undefined || before === undefined) return { name, reason: "new" };
  if (!isEqual(before, lockedWish(wish))) return { name, reason: "wish-changed" };
  const pinned = locked.version;
  const answers = platforms.map((platform) => locked.platforms[platform]);
  if (answers.includes(undefined)) return { name, reason: "platforms-changed", pinned };
  if (base === "lock" && answers.some((answer) => answer !== undefined && LAID_ON_BASE.has(answer.source)))
    return { name, reason: "base-changed", pinned };
  if (answers.some((answer) => answer?.source === "file")) return { name, reason: "local-file", pinned };
  return undefined;
}

function planBase(
  wish: BaseWish | undefined,
  locked: LockedBase | undefined,
  { workspace, everything }: { readonly workspace: Workspace; readonly everything: boolean },
): LockPlan["base"] {
  if (wish === undefined) return "none";
  if (everything || locked === undefined) return "lock";
  const same =
    wish.kind === "debian"
      ? locked.kind === "debian" && wish.suite === locked.suite && isEqual(wish.packages, locked.packages)
      : locked.kind === "image" && wish.reference === locked.reference;
  const complete = workspace.platforms.every((platform) => locked.platforms[platform] !== undefined);
  return same && complete ? "keep" : "lock";
}

function planUse(
  { use, platforms }: Workspace,
  previous: Lockfile | undefined,
  everything: boolean,
): LockPlan["use"] {
  if (use === undefined) return "none";
  const locked = previous?.use;
  if (everything || locked?.reference !== use) return "lock";
  return platforms.some((platform) => locked.platforms[platform] !== undefined) ? "keep" : "lock";
}

/** The part of a tool's wish that decides whether its locked answer still stands. */
export function lockedWish({ range, source, own, definition }: ToolWish): LockedWish {
  // Tests say nothing about what is in an image.
  const { tests: _, ...locked } = definition;
  return { range, source, definition: own ? sha256(formatCanonicalJson(locked)) : undefined };
}

/** The images of the workspace as they stand in the lock. */
export function lockedFlavours(workspace: Workspace): Record<string, LockedFlavour> {
  const entries = [...workspace.images.values()].map(({ name, extends: parent, tools, title }) => {
    return [name, { extends: parent, tools, title }] as const;
  });
  return Object.fromEntries(entries);
}

/** sha256 (hex) of everything in toolbox.yaml that the lock answers: mirrors do not count. */
export function digestWishes(workspace: Workspace): string {
  const { registry, platforms, base, use, session, compression } = workspace;
  const tools = Object.fromEntries(
    [...workspace.tools.values()].map((wish) => [wish.name, lockedWish(wish)]),
  );
  const images = lockedFlavours(workspace);
  return sha256(formatCanonicalJson({ registry, platforms, base, use, session, compression, tools, images }));
}

function isEqual(a: unknown, b: unknown): boolean {
  return formatCanonicalJson(a) === formatCanonicalJson(b);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function member<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
