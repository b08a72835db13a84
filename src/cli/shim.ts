// SPDX-License-Identifier: Apache-2.0
import { constants } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ToolingError } from "../core/error.ts";
import { quote, systemPrograms } from "../engines/index.ts";
import type { CommandContext, CommandInput, CommandOption } from "./command.ts";
import { launcherFolder } from "./launcher.ts";
import { textOption } from "./option-value.ts";

/** The second line of every shim, by which we know our own. */
const MARK = "# toolbox shim: ";

/** Bytes that hold the first two lines of a shim. */
const SHIM_START = 256;

/** `--dir` of the commands about shims. */
export const SHIM_FOLDER_OPTION: CommandOption = {
  type: "string",
  value: "DIR",
  summary: "The folder on PATH that holds them (default: ~/.local/bin)",
};

/** The folder that `--dir` names. Absolute. */
export function shimFolder(options: CommandInput["options"], { cwd, home }: CommandContext): string {
  return resolve(cwd, textOption(options, "dir") ?? join(home, ".local/bin"));
}

/**
 * A POSIX shell launcher for one tool. It looks for the workspace as we do, becomes the engine's command when the
 * workspace's launcher is up to date, and `toolbox` otherwise, which makes a new launcher.
 */
export function renderShim(tool: string, context: Pick<CommandContext, "paths">): string {
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  return `#!/bin/sh
${MARK}${tool}
# Runs the ${tool} of the workspace that you are in. \`toolbox shims remove ${tool}\` takes it away.
tool=${quote(tool)} state=${quote(launcherFolder(context))}
folder=
cd -P . 2>/dev/null && folder=$PWD
root=$folder
while [ -n "$root" ] && [ ! -e "$root/toolbox.lock" ] && [ ! -e "$root/toolbox.yaml" ]; do root=\${root%/*}; done
launcher=$state$root/launcher.sh
[ -n "$root" ] && [ -O "$launcher" ] && . "$launcher"
export TOOLBOX_SHIM=1
[ -x ${quote(process.execPath)} ] && [ -e ${quote(main)} ] && exec ${quote(process.execPath)} ${quote(main)} -- "$tool" "$@"
exec toolbox -- "$tool" "$@"
`;
}

/** Whether a file is a shim of ours. Absent files are not. */
export async function isShim(file: string): Promise<boolean> {
  const start = await readStart(file).catch(() => "");
  return start.split("\n", 2)[1]?.startsWith(MARK) === true;
}

/** Folders of commands hold large programs, of which the first lines say enough. */
async function readStart(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SHIM_START), 0, SHIM_START, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The names of the shims in a folder. */
export async function listShims(folder: string): Promise<string[]> {
  const names: string[] = await readdir(folder).catch(() => []);
  const found: string[] = [];
  for (const name of names.toSorted()) if (await isShim(join(folder, name))) found.push(name);
  return found;
}

/**
 * Refuses names that are no commands, and to stand before a command that the user has already.
 *
 * @throws {ToolingError} `COMMAND_USAGE`, `POLICY_REFUSED`
 */
export async function requireFreeName(
  tool: string,
  folder: string,
  { env, force }: { readonly env: CommandContext["env"]; readonly force: boolean },
): Promise<void> {
  if (basename(tool) !== tool || !/^[A-Za-z0-9_][\w.+-]*$/.test(tool) || tool === "toolbox") {
    throw new ToolingError("COMMAND_USAGE", `"${tool}" cannot be the name of a shim`, {
      hint: "Name a command of the image, such as kubectl.",
    });
  }
  if (force) return;
  const file = join(folder, tool);
  const path = (env["PATH"] ?? "").split(":").filter((one) => resolve(one) !== folder);
  const other = (await isForeign(file)) ? file : await systemPrograms.find(tool, path.join(":"));
  if (other === undefined || (await isShim(other))) return;
  throw new ToolingError("POLICY_REFUSED", `"${tool}" is a command already: "${other}"`, {
    hint: "Write --force to have the shim all the same, or keep using `toolbox CMD`.",
  });
}

async function isForeign(file: string): Promise<boolean> {
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  return isThere && !(await isShim(file));
}
