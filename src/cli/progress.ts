// SPDX-License-Identifier: Apache-2.0
import type { ProgressEvent } from "../core/operation.ts";
import type { Output } from "./output.ts";
import { openPlainProgress } from "./plain-progress.ts";
import { openTerminalProgress } from "./terminal-progress.ts";

/** Shows progress events to people. */
export interface ProgressView {
  show(event: ProgressEvent): void;
  /** Takes drawn bars away, so that a whole line can be written; they come back with the next event. */
  clear(): void;
  /** Ends the view; later events are not shown. */
  close(): void;
}

/** What a view needs of the process. */
export interface ProgressHost {
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly terminal: { readonly stderr: boolean };
  readonly columns: () => number | undefined;
}

/** Bars on a terminal, plain lines elsewhere. `NO_COLOR` takes colours away, `TERM=dumb` the bars as well. */
export function openProgress(host: ProgressHost): ProgressView {
  const { stderr, env, terminal, columns } = host;
  const write = (text: string): void => stderr.write(text);
  if (!terminal.stderr || env["TERM"] === "dumb")
    return openPlainProgress({ write, now: () => performance.now() });
  const color = (env["NO_COLOR"] ?? "") === "";
  return openTerminalProgress({ write, now: () => performance.now(), columns: () => columns() ?? 80, color });
}
