// SPDX-License-Identifier: Apache-2.0
import { spawn } from "@lydell/node-pty";

/** What a program showed on a terminal, and how it ended. */
export interface TerminalResult {
  readonly code: number;
  /** Everything shown, without colours and carriage returns. */
  readonly screen: string;
}

/** One step of a conversation: once `after` was shown, type `type`, or make the window another size. */
export type TerminalStep =
  | { readonly after: RegExp; readonly type: string }
  | { readonly after: RegExp; readonly resize: { readonly cols: number; readonly rows: number } };

/** Optional parts of {@link runOnTerminal}. */
export interface RunOnTerminalOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Done in order. Each waits for its text among what came after the step before. */
  readonly steps?: readonly TerminalStep[];
}

/** Runs a program on a terminal of 120 columns, as when a person types it. */
export async function runOnTerminal(
  program: string,
  args: readonly string[],
  { cwd = process.cwd(), env = {}, steps = [] }: RunOnTerminalOptions = {},
): Promise<TerminalResult> {
  const terminal = spawn(program, [...args], {
    cols: 120,
    rows: 40,
    cwd,
    env: { ...process.env, TERM: "xterm", ...env },
  });
  const waiting = [...steps];
  let screen = "";
  let seen = 0;
  terminal.onData((text) => {
    screen += text;
    const [step] = waiting;
    if (step === undefined || !step.after.test(screen.slice(seen))) return;
    waiting.shift();
    seen = screen.length;
    if ("resize" in step) terminal.resize(step.resize.cols, step.resize.rows);
    else terminal.write(step.type);
  });
  return new Promise((resolve) => {
    terminal.onExit(({ exitCode }) => resolve({ code: exitCode, screen: plain(screen) }));
  });
}

function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- escape sequences are what this removes
  return text.replaceAll(/\u001B(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007]*\u0007|[()][A-Z0-9])|\r/g, "");
}
