// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { constants as systemConstants } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { collectBytes, type ByteStream } from "../core/byte-stream.ts";
import { isSystemError } from "../core/error.ts";

/** Variables of a child process. An absent value is left out. */
export type ProgramEnvironment = Readonly<Record<string, string | undefined>>;

/** Optional parts of {@link ProgramRunner.capture}. */
export interface CaptureOptions {
  readonly env: ProgramEnvironment;
  /** Sent to stdin. Absent: stdin is empty. */
  readonly input?: ByteStream | undefined;
  /** Milliseconds after which it is killed. Absent: no limit. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with each piece of stderr, for progress. */
  readonly onErrorText?: ((text: string) => void) | undefined;
}

/** What a program printed (at most 1 MiB of each) and how it ended. */
export interface CapturedProgram {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** A program that runs with our own terminal and pipes. */
export interface ForegroundProgram {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** 128+n when signal n ended it. */
  readonly ended: Promise<number>;
  /** Whether its last words on stderr were kept back. Absent: nothing was to be kept back. */
  readonly keptBack?: Promise<boolean> | undefined;
  /** All that it printed (at most 1 MiB of each). Absent: it has our own stdout and stderr. */
  readonly printed?: Promise<Pick<CapturedProgram, "stdout" | "stderr">> | undefined;
}

/** Optional parts of {@link ProgramRunner.start}. */
export interface StartOptions {
  /** What stands between the program's stderr and ours. Absent: the program has our stderr itself. */
  readonly relay?: ErrorRelay | undefined;
  /** Keep what it prints, and give it an empty stdin. Absent: it has our own stdin, stdout and stderr. */
  readonly captures?: boolean | undefined;
}

/** Passes on what a program says on stderr, but for a last line that nobody shall see. */
export interface ErrorRelay {
  /** Our stderr. */
  readonly target: Writable;
  readonly keepBack: RegExp;
  /** What it must hold to count; else it is shown after all. */
  readonly tells: RegExp;
}

/** Starts other programs, never through a shell. */
export interface ProgramRunner {
  /** Absolute path of a program on `path` (as in PATH). Absent: not installed. */
  find(name: string, path: string | undefined): Promise<string | undefined>;
  capture(program: string, argv: readonly string[], options: CaptureOptions): Promise<CapturedProgram>;
  /** @throws a system error (`ENOENT`, `EACCES`, `E2BIG`) when it cannot be started */
  start(
    program: string,
    argv: readonly string[],
    env: ProgramEnvironment,
    options?: StartOptions,
  ): Promise<ForegroundProgram>;
}

/** Real processes. */
export const systemPrograms: ProgramRunner = { find, capture, start };

const OUTPUT_LIMIT = 1024 * 1024;

async function find(name: string, path: string | undefined): Promise<string | undefined> {
  const folders = isAbsolute(name)
    ? [""]
    : (path ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  for (const folder of folders) {
    const file = folder === "" ? name : join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
  return undefined;
}

async function capture(
  program: string,
  argv: readonly string[],
  { env, input, timeout, signal, onErrorText }: CaptureOptions,
): Promise<CapturedProgram> {
  const child = spawn(program, argv, {
    env: { ...env },
    stdio: ["pipe", "pipe", "pipe"],
    signal,
    timeout,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", (error) => (error.name === "AbortError" ? resolve(137) : reject(error)));
    child.once("close", (code, killed) => resolve(codeOf(code, killed)));
  });
  if (onErrorText !== undefined)
    child.stderr.on("data", (chunk: Buffer) => onErrorText(chunk.toString("utf8")));
  // A program may end without reading all of its input; its exit code tells more than our EPIPE.
  const fed = pipeline(input === undefined ? Readable.from([]) : Readable.from(input), child.stdin).then(
    () => undefined,
    (error: unknown) => (isSystemError(error, "EPIPE", "ERR_STREAM_PREMATURE_CLOSE") ? undefined : error),
  );
  const [exitCode, stdout, stderr, feedError] = await Promise.all([
    ended,
    textOf(child.stdout),
    textOf(child.stderr),
    fed,
  ]);
  signal?.throwIfAborted();
  if (feedError !== undefined && !child.killed) throw feedError;
  return { exitCode, stdout, stderr, timedOut: child.killed };
}

/** Keeps reading past the limit, so that the program does not block, but forgets what follows. */
async function textOf(stream: ByteStream): Promise<string> {
  return new TextDecoder().decode(await collectBytes(firstBytes(stream)));
}

async function* firstBytes(stream: ByteStream): ByteStream & AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of stream) {
    if (size < OUTPUT_LIMIT) yield chunk;
    size += chunk.byteLength;
  }
}

async function start(
  program: string,
  argv: readonly string[],
  env: ProgramEnvironment,
  { relay, captures = false }: StartOptions = {},
): Promise<ForegroundProgram> {
  const errors = relay === undefined ? "inherit" : "pipe";
  const child = spawn(program, argv, {
    env: { ...env },
    stdio: captures ? ["ignore", "pipe", "pipe"] : ["inherit", "inherit", errors],
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const ended = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => resolve(codeOf(code, signal)));
  });
  const started = { pid: child.pid ?? 0, kill: (signal: NodeJS.Signals) => void child.kill(signal), ended };
  if (child.stdout !== null && child.stderr !== null) {
    const printed = Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    return { ...started, printed: printed.then(([stdout, stderr]) => ({ stdout, stderr })) };
  }
  if (relay === undefined || child.stderr === null) return started;
  return { ...started, keptBack: keepLast(child.stderr, ended, relay) };
}

/** Whoever ended well meant what it said last. */
async function keepLast(
  source: Readable,
  ended: Promise<number>,
  { target, keepBack, tells }: ErrorRelay,
): Promise<boolean> {
  const { relayErrors, writeErrors } = await import("./relay-errors.ts");
  const kept = await relayErrors(source, target, keepBack);
  if ((await ended) !== 0 && tells.test(kept)) return true;
  await writeErrors(target, kept);
  return false;
}

function codeOf(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code;
  return 128 + (signal === null ? 0 : systemConstants.signals[signal]);
}
