// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LockedUse } from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";
import { adviseFreshness, claimAsking, claimTelling, freshnessFile, readFreshness } from "./freshness.ts";

/** The image that a workspace uses. */
export interface UsedImage {
  /** Real path of the workspace. */
  readonly folder: string;
  readonly use: LockedUse;
}

/** Milliseconds after which a command that is still running is no longer starting. */
const HEAD_START = 1000;

/**
 * Says, at most once a day, that the tag of the image that is used has moved. What it says was found out by a process
 * in the background that an earlier command started: here one small file is read.
 *
 * @returns To be called when the command has ended: sees to it that somebody asks the registry when that is due.
 */
export async function tellFreshness(
  used: UsedImage | undefined,
  context: CommandContext,
): Promise<() => Promise<void>> {
  if (used === undefined || !isWanted(used, context)) return async () => {};
  const { folder, use } = used;
  const file = freshnessFile(context.paths.state, folder, use.reference);
  const known = await readFreshness(file);
  const { news, isQuestionDue } = adviseFreshness(known, use.digest, Date.now());
  if (known !== undefined && news !== undefined && (await claimTelling(file, known, Date.now()))) {
    context.note(`note: ${news}; run toolbox upgrade`);
  }
  if (!isQuestionDue) return async () => {};
  // The command's own start comes first; a long one need not end before the question is asked.
  let asking: Promise<void> | undefined;
  const ask = (): Promise<void> => (asking ??= startQuestion(file, used, context));
  const timer = setTimeout(() => void ask(), HEAD_START);
  return async () => {
    clearTimeout(timer);
    await ask();
  };
}

/** Only for a person who looks, and never twice: a digest in toolbox.yaml says that nothing is to move. */
function isWanted({ use }: UsedImage, { env, json, quiet, terminal }: CommandContext): boolean {
  if (json || quiet || !terminal.stderr || use.reference.includes("@")) return false;
  if ((env["TOOLBOX_NO_NOTICE"] ?? "") !== "" || env["TOOLBOX_SHIM"] === "1") return false;
  return ["", "0", "false"].includes(env["CI"] ?? "");
}

/**
 * Starts `toolbox freshness-check` apart from us: in a session of its own, so that no Ctrl-C and no closed terminal
 * reaches it, and without any of our files, so that no pipe waits for it. It ends by itself.
 */
async function startQuestion(
  file: string,
  { folder, use }: UsedImage,
  { cwd, env }: CommandContext,
): Promise<void> {
  if (!(await claimAsking(file, use.digest, Date.now()))) return;
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  // Where we are, because variables may hold paths that start here.
  const child = spawn(process.execPath, [main, "-C", folder, "freshness-check"], {
    cwd,
    env,
    detached: true,
    stdio: "ignore",
  });
  // That it cannot be started is nothing to tell anybody who only wanted to run a command.
  child.on("error", () => {});
  child.unref();
}
