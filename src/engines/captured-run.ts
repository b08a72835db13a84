// SPDX-License-Identifier: Apache-2.0
import type { Session } from "../session/index.ts";
import type { EngineHost, EngineImage, EngineName, RunOutcome } from "./engine.ts";
import type { ForegroundProgram } from "./program-runner.ts";
import { openEngine } from "./select-engine.ts";
import type { ForwardedSignal, SignalSource } from "./signal-source.ts";

/** What {@link runCaptured} runs, and in what. */
export interface CapturedRunRequest {
  readonly engine: EngineName;
  readonly session: Session;
  /** From the engine's `ensureImage`. */
  readonly image: EngineImage;
}

/** Optional parts of {@link runCaptured}. */
export interface CapturedRunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the command is ended. Absent: no limit. */
  readonly timeout?: number | undefined;
}

/** How a command ended, and what it printed (at most 1 MiB of each). */
export interface CapturedRun extends RunOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Milliseconds that a command has to end by itself before it is killed. */
const GRACE = 10_000;

/**
 * Runs a session to the end as the engine's own `run` does, but with an empty stdin, and keeps what it prints.
 *
 * @throws {ToolingError} what `run` throws; and the signal's reason when it is aborted
 */
export async function runCaptured(
  { engine, session, image }: CapturedRunRequest,
  host: EngineHost,
  { signal, timeout }: CapturedRunOptions = {},
): Promise<CapturedRun> {
  const limit = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
  const end = AbortSignal.any([signal, limit].filter((each) => each !== undefined));
  const started: ForegroundProgram[] = [];
  const { programs } = host;
  const captured: EngineHost = {
    ...host,
    hasTerminal: false,
    output: undefined,
    signals: endingSignals(end, () => started.at(-1)?.kill("SIGKILL")),
    programs: {
      ...programs,
      start: async (program, argv, env) => {
        const running = await programs.start(program, argv, env, { captures: true });
        started.push(running);
        return running;
      },
    },
  };
  const outcome = await (await openEngine(engine, captured)).run(session, image);
  const printed = await started.at(-1)?.printed;
  signal?.throwIfAborted();
  return { ...outcome, stdout: "", stderr: "", ...printed, timedOut: limit?.aborted === true };
}

/** Asks the command to end, and kills whoever stands for it here when it does not. */
function endingSignals(end: AbortSignal, kill: () => void): SignalSource {
  return {
    listen(onSignal: (signal: ForwardedSignal) => void) {
      let grace: NodeJS.Timeout | undefined;
      const stop = (): void => {
        onSignal("SIGTERM");
        grace = setTimeout(kill, GRACE);
      };
      if (end.aborted) stop();
      else end.addEventListener("abort", stop, { once: true });
      return () => {
        clearTimeout(grace);
        end.removeEventListener("abort", stop);
      };
    },
  };
}
