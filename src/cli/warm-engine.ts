// SPDX-License-Identifier: Apache-2.0
import { realpath } from "node:fs/promises";
import { ToolingError } from "../core/error.ts";
import { type Engine, selectEngine, type WarmEngine, type WarmSession } from "../engines/index.ts";
import { findWorkspace } from "../workspace/index.ts";
import type { CommandContext, CommandOption } from "./command.ts";
import { engineHost } from "./run-session.ts";

/** `--engine` of the commands about warm containers. */
export const WARM_ENGINE_OPTION: CommandOption = {
  type: "string",
  value: "NAME",
  summary: "docker, podman or nerdctl. Default: TOOLBOX_ENGINE, else what is there",
};

/** `--all` of the commands about warm containers. */
export const ALL_OPTION: CommandOption = {
  type: "boolean",
  summary: "Those of all workspaces, not of this one only",
};

/**
 * The part of an engine that keeps containers.
 *
 * @throws {ToolingError} `POLICY_REFUSED` for the embedded runner, which needs none
 */
export function requireWarmth({ name, warm }: Engine): WarmEngine {
  if (warm !== undefined) return warm;
  throw new ToolingError("POLICY_REFUSED", `the embedded runner (${name}) keeps nothing warm`, {
    hint: "Just run the command: without an engine it starts in milliseconds.",
  });
}

/** The containers that a command is about: of the workspace here, or all of this user. */
export async function listWarm(
  { engine, all }: { readonly engine: string | undefined; readonly all: boolean },
  context: CommandContext,
): Promise<{ readonly warmth: WarmEngine; readonly sessions: readonly WarmSession[] }> {
  const { signal, env, start, cwd } = context;
  const choice = await selectEngine(engine ?? env["TOOLBOX_ENGINE"], engineHost(context), { signal });
  const warmth = requireWarmth(choice.engine);
  const sessions = await warmth.list({ signal });
  if (all) return { warmth, sessions };
  const place = await findWorkspace(start);
  const here = await realpath(place?.folder ?? cwd);
  return { warmth, sessions: sessions.filter(({ workspace }) => workspace === here) };
}
