// SPDX-License-Identifier: Apache-2.0
import { access, readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isSystemError } from "../core/error.ts";
import type { ForegroundProgram } from "./program-runner.ts";
import type { ForwardedSignal } from "./signal-source.ts";

/** How often, and how many milliseconds apart, a command that is just being started is looked for. */
const ATTEMPTS = 200;
const PAUSE = 10;

/**
 * Sends a signal to the command of an embedded runner: the child of the sandbox's first process. The processes above it
 * would die of the signal, and take the command with them before it could say goodbye.
 *
 * @param readyFile What the first process sees once its children are no tools that furnish the sandbox. Absent: it has none.
 */
export async function signalCommand(
  runner: ForegroundProgram,
  signal: ForwardedSignal,
  readyFile = "/",
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const [init] = await childrenOf(runner.pid);
    const [command] = init === undefined || !(await sees(init, readyFile)) ? [] : await childrenOf(init);
    if (command !== undefined && sendSignal(command, signal)) return;
    if (!(await isRunning(runner.pid))) return;
    await sleep(PAUSE);
  }
  runner.kill("SIGKILL");
}

function sendSignal(pid: number, signal: ForwardedSignal): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (isSystemError(error, "ESRCH")) return false;
    throw error;
  }
}

async function sees(pid: number, file: string): Promise<boolean> {
  return access(`/proc/${pid}/root${file}`).then(
    () => true,
    () => false,
  );
}

/** Processes whose parent is `pid`, in no order. */
async function childrenOf(pid: number): Promise<number[]> {
  const children: number[] = [];
  for (const name of await readdir("/proc")) {
    if (/^\d+$/.test(name) && (await parentOf(name)) === pid) children.push(Number(name));
  }
  return children;
}

async function isRunning(pid: number): Promise<boolean> {
  return (await parentOf(String(pid))) !== undefined;
}

/** The fourth field of /proc/PID/stat; the second is a name in parentheses that may hold anything. */
async function parentOf(pid: string): Promise<number | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : Number(parent);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESRCH", "EACCES")) return undefined;
    throw error;
  }
}
