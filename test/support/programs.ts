// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json. */
export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** How a program ended. A program that a signal ended has the code that a shell would give it (128 + number). */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Optional parts of {@link runProgram}. */
export interface RunProgramOptions {
  readonly cwd?: string;
  /** Added to the environment of the tests; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until the program is killed. Absent: 300 000. */
  readonly timeout?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Called with the running program, to signal it. */
  readonly onStart?: (child: ChildProcess) => void;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs a program without a shell and without input, and collects what it prints. Never rejects for its exit code. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env = {}, timeout = 300_000, uid, gid, onStart }: RunProgramOptions = {},
): Promise<ProgramResult> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  onStart?.(child);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 0), stdout, stderr }),
    );
  });
}

/** Runs a program that must succeed, and gives what it printed. Rejects with everything it said otherwise. */
export async function outputOf(
  program: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args, options);
  if (code !== 0) throw new Error(`${[program, ...args].join(" ")} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Whether every one of these programs is on PATH. */
export function hasPrograms(...names: readonly string[]): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return names.every((name) => folders.some((folder) => isExecutable(join(folder, name))));
}

/** A new folder, and what removes it with all that is in it. */
export interface TemporaryFolder {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

/** Makes a folder of its own below the system's temporary folder. */
export async function makeFolder(name: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `toolbox-${name}-`));
  return { path, remove: async () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
