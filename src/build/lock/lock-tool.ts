// SPDX-License-Identifier: Apache-2.0
import {
  type LockedTool,
  satisfiesRange,
  type SourceDefinition,
  type SourceKind,
  type ToolAbout,
  type ToolDefinition,
} from "../../catalog/index.ts";
import { type ErrorCode, ToolingError } from "../../core/error.ts";
import { formatCanonicalJson } from "../../core/json.ts";
import type { OperationOptions } from "../../core/operation.ts";
import type { Platform } from "../../core/platform.ts";
import type { LockedSource, SourceContext, ToolSource } from "../../sources/index.ts";
import type { PlannedTool, ToolWish } from "../../workspace/index.ts";
import { placed, withoutPlatform } from "./lock-failure.ts";

/** Gives the source of a kind, loading it when it is first asked for. */
export type SourceOf = (kind: SourceKind) => Promise<ToolSource> | ToolSource;

/** What locking one tool needs. */
export interface LockToolContext extends OperationOptions {
  readonly sourceOf: SourceOf;
  readonly sourceContext: SourceContext;
  readonly platforms: readonly Platform[];
  readonly now: () => Date;
}

/** Failures of one source that the next source of a definition may not have. */
const NEXT_SOURCE: readonly ErrorCode[] = [
  "DOWNLOAD_FAILED",
  "FILE_NOT_FOUND",
  "MIRROR_NOT_CONFIGURED",
  "NETWORK_UNREACHABLE",
  "PLATFORM_UNAVAILABLE",
  "TOOLCHAIN_UNAVAILABLE",
  "VERSION_NOT_FOUND",
];

/**
 * Resolves one wish. The sources of the definition are tried in order, the one that the previous lock took first;
 * a source that the wish names is the only one tried. When nothing but the time would change, the previous answer
 * is given back.
 *
 * @throws {ToolingError} the first source's error, with the position of the wish
 */
export async function lockTool(
  wish: ToolWish,
  previous: LockedTool | undefined,
  planned: PlannedTool,
  context: LockToolContext,
): Promise<LockedTool> {
  const answer = await askSources(wish, previous, planned, context);
  for (const platform of context.platforms) {
    if (answer.platforms[platform] !== undefined) continue;
    throw withoutPlatform(`tool "${wish.name}"`, platform, wish.position);
  }
  const about = aboutOf(wish.definition, answer.version);
  const same =
    previous !== undefined &&
    previous.version === answer.version &&
    formatCanonicalJson(previous.platforms) === formatCanonicalJson(answer.platforms);
  const changed = same ? previous.changed : `${context.now().toISOString().slice(0, 19)}Z`;
  return { name: wish.name, version: answer.version, changed, about, platforms: answer.platforms };
}

async function askSources(
  wish: ToolWish,
  previous: LockedTool | undefined,
  planned: PlannedTool,
  context: LockToolContext,
): Promise<LockedSource> {
  const pinned = planned.pinned ?? stillWanted(wish, previous, planned);
  let first: unknown;
  for (const definition of candidates(wish, previous)) {
    try {
      return await askSource(definition, wish, pinned, context);
    } catch (error) {
      if (!(error instanceof ToolingError) || !NEXT_SOURCE.includes(error.code))
        throw placed(error, wish.position, wish.name);
      first ??= error;
      const note = `source ${definition.source}: ${error.message}`;
      context.onProgress?.({ type: "noted", what: `lock ${wish.name}`, note });
    }
  }
  throw placed(first, wish.position, wish.name);
}

/** The locked version when only the wish has changed and still allows it: `^3.18` to `^3.19` need not move 3.19.1. */
function stillWanted(
  { range }: ToolWish,
  previous: LockedTool | undefined,
  { reason }: PlannedTool,
): string | undefined {
  if (previous === undefined || reason !== "wish-changed") return undefined;
  return satisfiesRange(previous.version, range) ? previous.version : undefined;
}

/** In order of preference; the source that the previous lock took comes first, so that locks stay put. */
function candidates(
  { definition, source }: ToolWish,
  previous: LockedTool | undefined,
): readonly SourceDefinition[] {
  if (source !== undefined) return definition.sources.filter((each) => each.source === source);
  const taken = Object.values(previous?.platforms ?? {})[0]?.source;
  return definition.sources.toSorted((a, b) => Number(b.source === taken) - Number(a.source === taken));
}

async function askSource(
  definition: SourceDefinition,
  { name, range, definition: { binaries } }: ToolWish,
  pinned: string | undefined,
  { sourceOf, sourceContext }: LockToolContext,
): Promise<LockedSource> {
  const source = await sourceOf(definition.source);
  const ask = async (wanted: string): Promise<LockedSource> =>
    await source.lockTool(definition, { name, binaries }, { range: wanted }, sourceContext);
  if (pinned === undefined || definition.source === "file") return await ask(range);
  try {
    return await ask(pinned);
  } catch (error) {
    if (!(error instanceof ToolingError) || error.code !== "VERSION_NOT_FOUND") throw error;
    return await ask(range);
  }
}

function aboutOf(definition: ToolDefinition, version: string): ToolAbout {
  const { name: _, sources: __, tests: ___, version: check, ...about } = definition;
  return { ...about, version: { ...check, contains: check.contains.replaceAll("{{version}}", version) } };
}
