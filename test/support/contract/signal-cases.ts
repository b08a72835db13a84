// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { SessionResult } from "../engine-bench.ts";
import { type TerminalResult, type RunOnTerminalOptions, runOnTerminal } from "../terminal.ts";
import { type ContractCase, type ContractRun, summary } from "./contract-case.ts";
import { findProcesses } from "../process-list.ts";

const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
  ["SIGQUIT", 131],
] as const;

/** An input that stays open as long as the command runs. */
const NEVER_ENDS = new Promise<Uint8Array>(() => undefined);

/** Signals, pipes and terminals. */
export const SIGNAL_CASES: readonly ContractCase[] = [
  ...SIGNALS.map(([signal, plain]): ContractCase => ({
    title: `gets ${signal} and decides what it means; otherwise it ends with ${plain}`,
    async run({ bench }) {
      const send = async (script: string): Promise<SessionResult> =>
        bench.run(["bash", "-c", script], {
          onStart: (child) => child.stdout?.once("data", () => child.kill(signal)),
        });
      const trap = `trap 'echo bye; exit 42' ${signal.slice(3)}`;
      const trapped = await send(`${trap}; echo ready; while :; do sleep 0.05; done`);
      expect(summary(trapped)).toEqual({ code: 42, stdout: "ready\nbye\n", stderr: "" });
      // cat says by itself that it is there: a shell that is to become a command ignores some signals until then.
      const plainly = await bench.run(["cat"], {
        input: NEVER_ENDS,
        onStart(child) {
          child.stdin?.write("ready\n");
          child.stdout?.once("data", () => child.kill(signal));
        },
      });
      expect(summary(plainly)).toMatchObject({ code: plain, stdout: "ready\n" });
    },
  })),
  {
    title: "ends quietly when its reader goes away, as in `| head`, and nothing stays running",
    async run({ bench }) {
      const mark = `toolbox-${randomUUID()}`;
      const closed = await bench.run(["yes", mark], {
        onStart: (child) => child.stdout?.once("data", () => child.stdout?.destroy()),
      });
      expect(closed.code).not.toBe(0);
      // A socket that is closed with unread bytes in it is reset, of which the command may speak; a pipe is only closed.
      expect(closed.stderr).toMatch(/^(?:yes: standard output: Connection reset by peer\n)?$/);
      await expect.poll(() => findProcesses(mark), { timeout: 60_000 }).toEqual([]);
      const through = ["bash", "-c", '"$@" | head -n 2', "bash"];
      const head = summary(await bench.run(["yes"], { through }));
      expect(head).toEqual({ code: 0, stdout: "y\ny\n", stderr: "" });
    },
  },
  {
    title: "has a terminal only when both ends are terminals",
    async run(run) {
      const piped = await run.bench.run(["sh", "-c", "tty; [ -t 1 ] || echo piped"]);
      expect(piped.stdout.toString()).toBe("not a tty\npiped\n");
      const { code, screen } = await onTerminal(run, '[ -t 0 ] && [ -t 1 ] && echo terminal "$TERM"');
      expect(screen).toContain("terminal xterm");
      expect(code).toBe(0);
    },
  },
  {
    title: "sees the size of the terminal, and its change",
    async run(run) {
      const script = [
        "trap told=1 WINCH",
        // Not $(stty size): a trap that comes while bash reads such a command is a syntax error to some of its releases.
        `is() { stty size | { read -r size; [ "$size $told" = "$1 1" ]; }; }`,
        `look() { until is "$1"; do [ $SECONDS -lt 300 ] || exit 9; sleep 0.05; done; }`,
        "told=1; look '40 120'; told=; echo first",
        "look '33 99'; echo second",
      ].join("\n");
      const { code, screen } = await onTerminal(run, script, {
        steps: [{ after: /first/, resize: { cols: 99, rows: 33 } }],
      });
      expect(screen).toContain("second");
      expect(code).toBe(0);
    },
  },
  {
    title: "gets a Ctrl-C that is typed once, and decides",
    async run(run) {
      const script =
        "trap 'echo caught; n=$((n+1))' INT; echo ready; until [ -n \"$n\" ]; do sleep 0.1; done; sleep 0.5; exit $((40+n))";
      const { code, screen } = await onTerminal(run, script, { steps: [{ after: /ready/, type: "\u0003" }] });
      expect(screen).toContain("caught");
      expect(code).toBe(41);
    },
  },
];

/** The driver becomes the caller by setpriv(1), because a pty cannot be opened for another user. */
async function onTerminal(
  { bench, caller }: ContractRun,
  script: string,
  options: Pick<RunOnTerminalOptions, "steps"> = {},
): Promise<TerminalResult> {
  const line = await bench.commandLine(["bash", "-c", script]);
  const user = [`--reuid=${caller.uid}`, `--regid=${caller.gid}`, "--clear-groups"];
  return runOnTerminal("setpriv", [...user, ...line], { cwd: bench.workspace, env: bench.env, ...options });
}
