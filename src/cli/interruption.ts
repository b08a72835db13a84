// SPDX-License-Identifier: Apache-2.0
import { EXIT_CODES } from "./exit-code.ts";
import { Interruption } from "./failure.ts";

/** The first Ctrl-C, SIGTERM or SIGHUP aborts; a second one ends the process at once. */
export interface Interruptions {
  readonly signal: AbortSignal;
  /** Stops listening, for a command that passes signals on to another program. */
  release(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Starts to listen on `target`, which is the process. */
export function listenForInterruptions(target: Pick<NodeJS.Process, "on" | "off" | "exit">): Interruptions {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted)
      target.exit(signal === "SIGTERM" ? EXIT_CODES.terminated : EXIT_CODES.interrupted);
    controller.abort(new Interruption(signal === "SIGTERM" || signal === "SIGHUP" ? signal : "SIGINT"));
  };
  for (const signal of SIGNALS) target.on(signal, onSignal);
  return {
    signal: controller.signal,
    release() {
      for (const signal of SIGNALS) target.off(signal, onSignal);
    },
  };
}
