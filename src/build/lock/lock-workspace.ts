// SPDX-License-Identifier: Apache-2.0
import type { LockedTool } from "../../catalog/index.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import type { OperationOptions } from "../../core/operation.ts";
import type { Platform } from "../../core/platform.ts";
import type { SourceContext } from "../../sources/index.ts";
import {
  digestWishes,
  type BaseWish,
  LOCK_VERSION,
  type LockedBase,
  lockedFlavours,
  type LockedUse,
  lockedWish,
  type Lockfile,
  type LockPlan,
  type Workspace,
} from "../../workspace/index.ts";
import { at, withoutPlatform } from "./lock-failure.ts";
import { createBaseOpener } from "./open-base.ts";
import { lockTool, type SourceOf } from "./lock-tool.ts";

/** An image reference as it stands now. */
export interface ResolvedImage {
  /** Of the index, or of the manifest when the reference is not an index. */
  readonly digest: string;
  /** Of each platform's manifest. */
  readonly platforms: Readonly<Partial<Record<Platform, string>>>;
}

/** What locking needs from outside. */
export interface LockContext extends OperationOptions {
  readonly sourceOf: SourceOf;
  /** What every source gets; `openBase` is filled in here. */
  readonly sourceContext: Omit<SourceContext, "openBase">;
  /** Resolves a Debian base to its closure. */
  readonly lockDebianBase: (
    base: BaseWish & { kind: "debian" },
    platforms: readonly Platform[],
    options: OperationOptions,
  ) => Promise<LockedBase>;
  readonly resolveImage: (reference: string, options: OperationOptions) => Promise<ResolvedImage>;
  readonly now: () => Date;
}

/** Tools locked at once: each mostly waits for a network. */
const CONCURRENCY = 4;

/**
 * Carries out a lock plan: resolves the base, then the tools that need it, and keeps every other answer as it was.
 * Nothing is written.
 *
 * @throws {ToolingError} with the position of the wish: `VERSION_NOT_FOUND`, `PLATFORM_UNAVAILABLE`, and what the
 * sources throw
 */
export async function lockWorkspace(
  workspace: Workspace,
  previous: Lockfile | undefined,
  plan: LockPlan,
  context: LockContext,
): Promise<Lockfile> {
  const { signal, onProgress } = context;
  const base = await lockBase(workspace, previous, plan, context);
  const use = await lockUse(workspace, previous, plan, context);
  const sourceContext: SourceContext = {
    ...context.sourceContext,
    openBase: createBaseOpener(base, context.sourceContext),
  };
  const locked = await mapConcurrently(plan.lock, { limit: CONCURRENCY, signal }, async (planned, signal) => {
    const wish = workspace.tools.get(planned.name);
    if (wish === undefined) throw new TypeError(`tool "${planned.name}" was planned but is not wished`);
    onProgress?.({ type: "started", what: `lock ${wish.name}` });
    const { platforms } = workspace;
    const inside = { ...context, sourceContext: { ...sourceContext, signal }, platforms, signal };
    const tool = await lockTool(wish, previous?.tools[wish.name], planned, inside);
    onProgress?.({ type: "finished", what: `lock ${wish.name}`, skipped: false });
    return tool;
  });
  const kept = plan.keep.map((name) => previous?.tools[name]).filter((tool) => tool !== undefined);
  return {
    lockVersion: LOCK_VERSION,
    workspace: digestWishes(workspace),
    platforms: workspace.platforms,
    base,
    compression: workspace.compression,
    registry: workspace.registry,
    tools: byName([...kept, ...locked]),
    wishes: Object.fromEntries([...workspace.tools.values()].map((wish) => [wish.name, lockedWish(wish)])),
    images: lockedFlavours(workspace),
    use,
    session: workspace.session,
  };
}

async function lockBase(
  { base, platforms, positionOf }: Workspace,
  previous: Lockfile | undefined,
  plan: LockPlan,
  context: LockContext,
): Promise<LockedBase | undefined> {
  if (base === undefined) return undefined;
  if (plan.base === "keep") return previous?.base;
  const { signal, onProgress } = context;
  const options = { signal, onProgress };
  const locked = await at(positionOf("base"), async () => {
    if (base.kind === "debian") return await context.lockDebianBase(base, platforms, options);
    const resolved = await context.resolveImage(base.reference, options);
    return { kind: "image" as const, reference: base.reference, ...resolved };
  });
  for (const platform of platforms) {
    if (locked.platforms[platform] === undefined) throw withoutPlatform("base", platform, positionOf("base"));
  }
  return locked;
}

async function lockUse(
  { use, positionOf }: Workspace,
  previous: Lockfile | undefined,
  plan: LockPlan,
  { resolveImage, signal, onProgress }: LockContext,
): Promise<LockedUse | undefined> {
  if (use === undefined) return undefined;
  if (plan.use === "keep") return previous?.use;
  const resolved = await at(positionOf("use"), () => resolveImage(use, { signal, onProgress }));
  return { reference: use, ...resolved };
}

function byName(tools: readonly LockedTool[]): Record<string, LockedTool> {
  return Object.fromEntries(tools.map((tool) => [tool.name, tool]));
}
