// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { isSystemError, ToolingError } from "../core/error.ts";

/** How to run a program for its output. */
export interface RunProgramOptions {
  /** Working directory, absolute. */
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Gets each line of standard error as it comes. */
  readonly onErrorLine?: ((line: string) => void) | undefined;
}

/** What a program left behind. */
export interface ProgramResult {
  /** Absent: it was ended by a signal. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** The last lines of standard error. */
  readonly errorLines: readonly string[];
}

const KEPT_ERROR_LINES = 400;
const MOST_OUTPUT = 64 * 1024 * 1024;
const GRACE = 2000;

/**
 * Runs a program without a shell, in a process group of its own: an abort ends it with all its children, before
 * the returned promise rejects.
 *
 * @throws {ToolingError} `COMMAND_NOT_FOUND`
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  { cwd, env, signal, onErrorLine }: RunProgramOptions,
): Promise<ProgramResult> {
  signal?.throwIfAborted();
  const child = spawn(file, args, {
    cwd,
    env,
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = (): void => endGroup(child);
  signal?.addEventListener("abort", stop, { once: true });
  const errorLines: string[] = [];
  try {
    const exited = exitOf(child, file);
    const [stdout, , exitCode] = await Promise.all([
      collectText(child.stdout),
      collectLines(child.stderr, errorLines, onErrorLine),
      exited,
    ]);
    signal?.throwIfAborted();
    return { exitCode, stdout, errorLines };
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

async function exitOf(child: ChildProcess, file: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    child.once("error", (error) => {
      if (!isSystemError(error, "ENOENT", "EACCES")) return reject(error);
      reject(
        new ToolingError("COMMAND_NOT_FOUND", `"${file}" cannot be started (${error.code})`, {
          cause: error,
        }),
      );
    });
    child.once("close", (code) => resolve(code ?? undefined));
  });
}

async function collectText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size <= MOST_OUTPUT) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function collectLines(
  stream: Readable,
  kept: string[],
  onLine?: (line: string) => void,
): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    kept.push(line);
    if (kept.length > KEPT_ERROR_LINES) kept.shift();
    onLine?.(line);
  }
}

/** Asks the whole group to end, and after a moment insists. */
function endGroup(child: ChildProcess): void {
  sendToGroup(child, "SIGTERM");
  const insist = setTimeout(() => sendToGroup(child, "SIGKILL"), GRACE);
  child.once("close", () => clearTimeout(insist));
}

function sendToGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    if (!isSystemError(error, "ESRCH", "EPERM")) throw error;
  }
}
