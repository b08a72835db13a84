// SPDX-License-Identifier: Apache-2.0
import { fstatSync } from "node:fs";
import type { Writable } from "node:stream";

/**
 * What an engine's client writes to.
 *
 * - `steady`: a terminal, a file: its reader cannot go away.
 * - `pipe`: a pipe or socket whose reader may go away first, as in `toolbox kubectl logs pod | head`.
 * - `shared-pipe`: the same, with stderr in it.
 */
export type OutputKind = "steady" | "pipe" | "shared-pipe";

/** Our own output, which engines' clients write to. */
export interface ClientOutput {
  readonly kind: OutputKind;
  /** Our stderr. */
  readonly errors: Writable;
}

/** 128 + SIGPIPE: how a command ends in a shell when nobody reads what it writes. */
export const PIPE_EXIT_CODE = 141;

/**
 * What the clients of docker, podman and nerdctl say when the reader of their stdout went away. They catch SIGPIPE, so
 * that they neither end quietly nor take the command with them.
 */
export const LOST_READER: RegExp =
  /(?<![^\n])[^\n]{0,300}write \/dev\/stdout: (?:broken pipe|connection reset by peer)\n/;

/** What docker 20.10 may say besides, before that or after it, as it stops waiting for the container. */
const STOPPED_WAITING = /(?<![^\n])time="[^\n]{0,100}error waiting for container: context canceled"\n/;

/** Last lines that belong to a lost reader, or to its beginning. */
export const LOST_READER_LINES: RegExp = new RegExp(
  `(?:${STOPPED_WAITING.source})?(?:${LOST_READER.source}(?:${STOPPED_WAITING.source})?|${STOPPED_WAITING.source})$`,
);

/** Looks at our own stdout and stderr. */
export function lookAtOutput(): OutputKind {
  const [out, err] = [1, 2].map((descriptor) => {
    try {
      return fstatSync(descriptor);
    } catch {
      return undefined; // Closed by the caller.
    }
  });
  if (out === undefined || !(out.isFIFO() || out.isSocket())) return "steady";
  return err !== undefined && err.dev === out.dev && err.ino === out.ino ? "shared-pipe" : "pipe";
}

/** Whether a client that ended with this code may have left its command behind, when its own words are not known. */
export function mayBeLeftBehind(kind: OutputKind | undefined, exitCode: number): boolean {
  if (kind === undefined || kind === "steady") return false;
  return exitCode === PIPE_EXIT_CODE || (kind === "shared-pipe" && [1, 125, 126].includes(exitCode));
}
