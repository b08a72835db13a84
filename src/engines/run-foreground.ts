// SPDX-License-Identifier: Apache-2.0
import { isSystemError, ToolingError } from "../core/error.ts";
import { LOST_READER, LOST_READER_LINES, mayBeLeftBehind, PIPE_EXIT_CODE } from "./client-output.ts";
import type { EngineHost, RunOutcome } from "./engine.ts";
import type { ForegroundProgram, ProgramEnvironment } from "./program-runner.ts";
import type { ForwardedSignal } from "./signal-source.ts";

/** What {@link runForeground} starts, and how signals reach the command behind it. */
export interface ForegroundCommand {
  readonly program: string;
  readonly argv: readonly string[];
  readonly env: ProgramEnvironment;
  /** Delivers a signal to the command itself. Absent: to the program, which passes it on. */
  readonly deliver?: ((signal: ForwardedSignal, program: ForegroundProgram) => Promise<void>) | undefined;
  /**
   * Ends the command that a client left behind when the reader of its output went away, and tells whether there was
   * one. Absent: the program is the command, or takes it with it.
   */
  readonly endLeftBehind?: (() => Promise<boolean>) | undefined;
}

/** Signals that a terminal sends to every process of the foreground group, so that passing them on would double them. */
const TERMINAL_SIGNALS: readonly ForwardedSignal[] = ["SIGINT", "SIGQUIT"];

/**
 * Starts a program with our stdin, stdout and stderr, passes signals on, and waits for its end.
 *
 * @throws {ToolingError} `ENGINE_NOT_FOUND`, `SESSION_INVALID` (the command line is too long for the system)
 */
export async function runForeground(
  { program, argv, env, deliver, endLeftBehind }: ForegroundCommand,
  { programs, signals, hasTerminal, output }: EngineHost,
): Promise<RunOutcome> {
  const hears = endLeftBehind !== undefined && output?.kind === "pipe";
  const relay = hears
    ? { target: output.errors, keepBack: LOST_READER_LINES, tells: LOST_READER }
    : undefined;
  const early: ForwardedSignal[] = [];
  let running: ForegroundProgram | undefined;
  const pass = (signal: ForwardedSignal): void => {
    if (running === undefined) early.push(signal);
    else if (deliver === undefined) running.kill(signal);
    else void deliver(signal, running).catch(() => running?.kill("SIGKILL"));
  };
  const unlisten = signals.listen((signal) => {
    if (!hasTerminal || !TERMINAL_SIGNALS.includes(signal)) pass(signal);
  });
  try {
    running = await programs.start(program, argv, env, { relay });
    for (const signal of early) pass(signal);
    const exitCode = await running.ended;
    const isLost = (await running.keptBack) === true;
    if (endLeftBehind === undefined || !(isLost || mayBeLeftBehind(output?.kind, exitCode)))
      return { exitCode };
    return { exitCode: (await endLeftBehind()) || isLost ? PIPE_EXIT_CODE : exitCode };
  } catch (error) {
    throw describeStartFailure(error, program);
  } finally {
    unlisten();
  }
}

function describeStartFailure(error: unknown, program: string): unknown {
  if (isSystemError(error, "ENOENT", "EACCES")) {
    return new ToolingError("ENGINE_NOT_FOUND", `"${program}" cannot be started (${error.code})`, {
      hint: "Install it, or choose another engine with --engine.",
      cause: error,
    });
  }
  if (isSystemError(error, "E2BIG")) {
    return new ToolingError("SESSION_INVALID", "the command line is longer than the system allows", {
      hint: "Pass the arguments in smaller groups, as xargs does.",
      cause: error,
    });
  }
  return error;
}
