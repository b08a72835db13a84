// SPDX-License-Identifier: Apache-2.0
import { lockWorkspace } from "../build/lock/index.ts";
import { ToolingError } from "../core/error.ts";
import {
  changesLock,
  diffLockfiles,
  type LockDiff,
  type Lockfile,
  planLock,
  type PlanLockOptions,
  writeLockfile,
} from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";
import { openLockContext } from "./workbench.ts";
import type { WorkspaceFiles } from "./workspace-files.ts";

/** What locking came to. */
export interface LockResult {
  readonly lock: Lockfile;
  readonly diff: LockDiff;
}

/** How {@link lockAndWrite} treats the file. */
export interface LockAndWriteOptions extends PlanLockOptions {
  /** Refuse any change. */
  readonly frozen?: boolean;
  /** Resolve, but write nothing. */
  readonly dryRun?: boolean;
}

/**
 * Brings toolbox.lock up to date with toolbox.yaml. Asks no network when nothing has to be resolved.
 *
 * @throws {ToolingError} `LOCK_FROZEN`, and what resolving throws
 */
export async function lockAndWrite(
  { place, workspace, lock: previous }: WorkspaceFiles,
  { frozen = false, dryRun = false, ...options }: LockAndWriteOptions,
  context: CommandContext,
): Promise<LockResult> {
  const plan = planLock(workspace, previous, options);
  if (previous !== undefined && !changesLock(plan) && (frozen || plan.lock.length === 0)) {
    return { lock: previous, diff: diffLockfiles(previous, previous) };
  }
  if (frozen) throw frozenError(place.lockFile, previous);
  const lock = await lockWorkspace(workspace, previous, plan, await openLockContext(workspace, context));
  const diff = diffLockfiles(previous, lock);
  if (!diff.same && !dryRun) await writeLockfile(place.lockFile, lock);
  return { lock, diff };
}

function frozenError(file: string, previous: Lockfile | undefined): ToolingError {
  const why = previous === undefined ? "is missing" : "does not answer toolbox.yaml any more";
  return new ToolingError("LOCK_FROZEN", `"${file}" ${why}, and --frozen forbids to change it`, {
    hint: "Run `toolbox lock` where CI is not set, then commit toolbox.lock.",
  });
}

/** A lock's changes for people, one line each. */
export function describeDiff({
  created,
  tools,
  baseChanged,
  useChanged,
  images,
  settingsChanged,
}: LockDiff): string[] {
  const mark = created ? "+" : "~";
  const marks = { added: "+", removed: "-", updated: "~", rebuilt: "~" } as const;
  const lines = tools.map(({ kind, name, from, to }) => {
    if (kind === "updated") return `${marks[kind]} ${name} ${from ?? ""} -> ${to ?? ""}`;
    return `${marks[kind]} ${name} ${to ?? from ?? ""}${kind === "rebuilt" ? " (other bytes)" : ""}`;
  });
  return [
    ...(baseChanged ? [`${mark} base`] : []),
    ...lines,
    ...images.map((name) => `${mark} image ${name}`),
    ...(useChanged ? [`${mark} used image`] : []),
    ...(settingsChanged && !created ? ["~ settings"] : []),
  ];
}
