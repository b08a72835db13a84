// SPDX-License-Identifier: Apache-2.0
import { selectVersion } from "../../catalog/index.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import type { SourceContext } from "../../sources/index.ts";
import type { Lockfile, ToolWish, Workspace } from "../../workspace/index.ts";
import type { LockContext } from "./lock-workspace.ts";
import { createBaseOpener } from "./open-base.ts";

/** How far one locked tool is behind. */
export interface OutdatedTool {
  readonly name: string;
  readonly locked: string;
  /** Newest version that the wish allows. Absent: the source could not say. */
  readonly wanted?: string | undefined;
  /** Newest version there is. Absent: the source could not say. */
  readonly latest?: string | undefined;
  readonly range: string;
}

/** What asking for newer versions needs of a lock's context. */
export type FindNewerContext = Pick<LockContext, "onProgress" | "signal" | "sourceContext" | "sourceOf">;

/** Asks the sources of locked tools for newer versions. Tools that are as new as can be are left out. */
export async function findNewerVersions(
  workspace: Workspace,
  lock: Lockfile,
  context: FindNewerContext,
): Promise<readonly OutdatedTool[]> {
  const { base } = lock;
  const withBase: SourceContext = {
    ...context.sourceContext,
    openBase: createBaseOpener(base, context.sourceContext),
  };
  const wishes = [...workspace.tools.values()].filter(({ name }) => Object.hasOwn(lock.tools, name));
  const found = await mapConcurrently(wishes, { limit: 4, signal: context.signal }, async (wish) => {
    return await compare(wish, lock, { ...context, sourceContext: withBase });
  });
  return found.filter(
    ({ locked, wanted, latest }) => (wanted ?? locked) !== locked || (latest ?? locked) !== locked,
  );
}

async function compare(
  wish: ToolWish,
  lock: Lockfile,
  context: FindNewerContext & { readonly sourceContext: SourceContext },
): Promise<OutdatedTool> {
  const { name, range, definition } = wish;
  const tool = lock.tools[name];
  const locked = tool?.version ?? "";
  const kind = Object.values(tool?.platforms ?? {})[0]?.source;
  const source = definition.sources.find((each) => each.source === kind);
  if (source === undefined || source.source === "file") return { name, locked, range };
  context.onProgress?.({ type: "started", what: `look up ${name}` });
  const { sourceOf, sourceContext } = context;
  const answering = await sourceOf(source.source);
  const versions = await answering.listVersions(
    source,
    { name, binaries: definition.binaries },
    sourceContext,
  );
  const [latest] = versions;
  const wanted = selectVersion(versions, range);
  context.onProgress?.({ type: "finished", what: `look up ${name}`, skipped: false });
  return { name, locked, wanted, latest, range };
}
