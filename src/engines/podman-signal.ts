// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from "node:timers/promises";
import type { EngineHost } from "./engine.ts";
import type { ForegroundProgram } from "./program-runner.ts";
import type { ForwardedSignal } from "./signal-source.ts";

/** Milliseconds between two tries to reach a container that is just being started. */
const PAUSE = 50;

/**
 * Sends a signal to a container that `podman run` has in the foreground, and not to that client: in its first moments the
 * client would die of it and leave the command running, alone.
 *
 * @param container How the container of the command is called.
 */
export async function signalContainer(
  { podman, container }: { readonly podman: string; readonly container: string },
  { signal, client }: { readonly signal: ForwardedSignal; readonly client: ForegroundProgram },
  { programs, env }: EngineHost,
): Promise<void> {
  const end = new AbortController();
  void client.ended.finally(() => end.abort());
  const argv = ["kill", `--signal=${signal}`, container];
  while (!end.signal.aborted && (await programs.capture(podman, argv, { env })).exitCode !== 0)
    await wait(PAUSE);
}
