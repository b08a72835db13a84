// SPDX-License-Identifier: Apache-2.0
import { randomBytes, randomUUID } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Caller } from "../support/engine-bench.ts";
import { findProcesses } from "../support/process-list.ts";
import { hasPrograms, runProgram } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { openShimBench, type ShimBench, type ShimRunOptions } from "../support/shim-bench.ts";
import { runOnTerminal } from "../support/terminal.ts";

/** What a shim is in front of. */
interface ShimRow {
  readonly engine: string;
  readonly caller: Caller;
  readonly warm?: boolean;
  /** Whether values of the caller's variables get inside without toolbox. */
  readonly carriesSecrets: boolean;
}

const ROOT_USER: Caller = { uid: 0, gid: 0 };
const PLAIN_USER: Caller = { uid: 4242, gid: 4343 };
const isRoot = process.getuid?.() === 0;

const ROWS: readonly ShimRow[] = [
  ...(canStartDocker()
    ? [
        { engine: "docker", caller: ROOT_USER, carriesSecrets: true },
        { engine: "docker", caller: ROOT_USER, warm: true, carriesSecrets: true },
      ]
    : []),
  ...[ROOT_USER, PLAIN_USER].flatMap((caller) => [
    ...(isRoot && hasPrograms("bwrap") ? [{ engine: "bubblewrap", caller, carriesSecrets: true }] : []),
    ...(isRoot && hasPrograms("unshare") ? [{ engine: "namespaces", caller, carriesSecrets: false }] : []),
  ]),
];

const titleOf = ({ engine, caller, warm }: ShimRow): string =>
  `${warm === true ? "warm " : ""}${engine} as ${caller.uid === 0 ? "root" : "a plain user"}`;

describe.each(ROWS.map((row) => ({ title: titleOf(row), ...row })))("behind a shim, $title", (row) => {
  let bench: ShimBench;
  let docker: RunningDocker | undefined;
  beforeAll(async () => {
    docker = row.engine === "docker" ? await startDocker() : undefined;
    const { engine, caller, carriesSecrets, warm = false } = row;
    const wishes = carriesSecrets ? ["SET=a b", "PASSED"] : ["SET=a b"];
    const env = { ...docker?.env, ...(carriesSecrets ? { PASSED: "at first" } : {}) };
    bench = await openShimBench({ engine, caller, warm, wishes, env });
  });
  afterAll(async () => {
    await bench?.remove();
    await docker?.stop();
  });

  const textOf = async (tool: string, args: string[], options: ShimRunOptions = {}): Promise<string> => {
    const { code, stdout, stderr } = await bench.run(tool, args, options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.toString("utf8");
  };
  const asCaller = (tool: string, args: string[]): [string, string[]] => {
    const { uid, gid } = row.caller;
    const user = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
    const env = Object.entries(bench.env).map(([name, value]) => `${name}=${value}`);
    return ["setpriv", [...user, "env", "-i", "TERM=xterm", ...env, join(bench.folder, tool), ...args]];
  };

  test("passes every argument as it is", async () => {
    const args = [
      "a b",
      "",
      "'",
      '"',
      "$(id)",
      "; true",
      "*",
      "-x",
      "--",
      "line\nbreak",
      "ü→💡",
      "\\",
      "a=b",
    ];
    expect((await textOf("printf", ["%s\\0", ...args])).split("\0").slice(0, -1)).toEqual(args);
  });

  test("passes stdin and stdout through, every byte, and keeps stderr apart", async () => {
    const bytes = randomBytes(300_000);
    const { code, stdout } = await bench.run("cat", [], { input: bytes });
    expect([code, stdout.equals(bytes)]).toEqual([0, true]);
    const both = await bench.run("sh", ["-c", "echo out; echo err >&2"]);
    expect([both.stdout.toString(), both.stderr]).toEqual(["out\n", "err\n"]);
  });

  test.each([0, 1, 3, 125, 126, 127, 255])("gives exit code %i on", async (code) => {
    expect((await bench.run("sh", ["-c", `exit ${code}`])).code).toBe(code);
  });

  test("says 127 for a command that is not in the image, and 128+n for one that a signal ended", async () => {
    const missing = await bench.run("no-such-command", []);
    expect(missing).toMatchObject({ code: 127, stderr: expect.stringContaining("no-such-command") });
    expect((await bench.run("sh", ["-c", "kill -9 $$"])).code).toBe(137);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const)("passes %s on, and the command decides", async (signal, plain) => {
    const send = (script: string, times: number): ReturnType<ShimBench["run"]> =>
      bench.run("bash", ["-c", script], {
        onStart: (child) =>
          child.stdout?.once("data", () => {
            child.kill(signal);
            const again = setInterval(() => (times -= 1) > 0 && child.kill(signal), 500);
            child.once("exit", () => clearInterval(again));
          }),
      });
    const trapped = await send(
      `trap 'echo bye; exit 42' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`,
      1,
    );
    expect([trapped.code, trapped.stdout.toString()]).toEqual([42, "ready\nbye\n"]);
    // A shell is deaf to some signals until it has become the command.
    expect((await send("echo ready; exec sleep 600", Infinity)).code).toBe(plain);
  });

  // Docker's own client decides what a signal means to it before its container is there.
  const delays = row.engine === "docker" && row.warm !== true ? [] : [0, 2, 4, 8, 16, 32, 64, 128];
  test.each(delays)("loses no signal that comes %i ms after its start", async (delay) => {
    const { code } = await bench.run("bash", ["-c", "exec sleep 600"], {
      onStart: (child) => setTimeout(() => child.kill("SIGTERM"), delay),
    });
    // Before the shim has its traps, the signal ends the shim itself, which has no exit code then.
    expect([143, -2]).toContain(code);
  });

  test("starts in the folder that it was called in", async () => {
    expect(await textOf("pwd", [])).toBe("/work\n");
    expect(await textOf("pwd", [], { cwd: join(bench.workspace, "charts", "web") })).toBe(
      "/work/charts/web\n",
    );
  });

  test("runs as the caller, and makes files the caller's under the caller's umask", async () => {
    const said = await textOf("sh", ["-c", 'id -u; id -g; whoami; echo "$HOME"; umask; echo text > made']);
    const { uid, gid } = row.caller;
    expect(said).toMatch(new RegExp(`^${uid}\n${gid}\n\\S+\n/home/toolbox\n0022\n$`));
    const made = await stat(join(bench.workspace, "made"));
    expect({ uid: made.uid, gid: made.gid, mode: made.mode & 0o777 }).toEqual({ uid, gid, mode: 0o644 });
    expect(await readFile(join(bench.workspace, "made"), "utf8")).toBe("text\n");
  });

  test("keeps HOME from one command to the next", async () => {
    await textOf("sh", ["-c", "echo kept > ~/note"]);
    expect(await textOf("sh", ["-c", "cat ~/note"])).toBe("kept\n");
  });

  test("shows the image's variables and ours, and nothing of the host, in no process", async () => {
    const env = {
      SENTINEL: "host-secret",
      CI: "x y",
      ...(row.carriesSecrets ? { PASSED: "on purp\nose" } : {}),
    };
    const said = await textOf("env", [], { env });
    expect(said).toMatch(/^FROM_IMAGE=yes$/m);
    expect(said).toMatch(/^SET=a b$/m);
    expect(said).toMatch(/^CI=x y$/m);
    if (row.carriesSecrets) expect(said).toContain("PASSED=on purp\nose\n");
    expect(said).not.toMatch(/host-secret|NODE_OPTIONS|TOOLBOX_SHIM|DOCKER_HOST/);
    const first = await textOf("sh", ["-c", "cat /proc/1/environ /proc/1/cmdline 2>/dev/null; true"], {
      env,
    });
    expect(first).not.toMatch(/host-secret|NODE_OPTIONS/);
    // The init of an engine with a daemon has the container's variables, which are the command's.
    if (row.engine !== "docker") expect(first).not.toContain("on purp");
  });

  test("has no capability, and no file of its caller", async () => {
    await writeFile(join(bench.workspace, "open"), "");
    const script =
      "while read -r key value; do case $key in Cap[PEB]*|NoNewPrivs:) echo $key $value;; esac; done </proc/self/status; [ -e /proc/self/fd/7 ] || echo closed";
    const [program, args] = asCaller("bash", ["-c", script]);
    const { code, screen } = await runOnTerminal(
      "sh",
      ["-c", 'exec 7<"$1"; shift; exec "$@"', "sh", join(bench.workspace, "open"), program, ...args],
      { cwd: bench.workspace },
    );
    expect(code).toBe(0);
    expect(screen).toContain("CapPrm: 0000000000000000\n");
    expect(screen).toContain("CapEff: 0000000000000000\n");
    expect(screen).toContain("NoNewPrivs: 1\n");
    expect(screen).toContain("closed\n");
  });

  test("has a terminal only when both ends are terminals", async () => {
    const piped = await bench.run("sh", ["-c", "[ -t 0 ] || [ -t 1 ] || echo piped"]);
    expect(piped.stdout.toString()).toBe("piped\n");
    const script =
      '[ -t 0 ] && [ -t 1 ] && echo terminal "$TERM"; for i in 1 2 3 4 5 6 7 8 9; do [ "$(stty size)" = "0 0" ] || break; sleep 0.2; done; stty size';
    const { code, screen } = await runOnTerminal(...asCaller("sh", ["-c", script]), {
      cwd: bench.workspace,
    });
    expect([code, screen]).toEqual([0, expect.stringMatching(/terminal xterm\n(?:.*\n)*40 120\n/)]);
  });

  test("lets Ctrl-C on a terminal reach the command once, and the command decide", async () => {
    const script =
      "trap 'echo caught; n=$((n+1))' INT; echo ready; while [ $SECONDS -lt 60 ]; do sleep 0.1; [ -n \"$n\" ] && [ $((++after)) -gt 5 ] && exit $((40+n)); done";
    const { code, screen } = await runOnTerminal(...asCaller("bash", ["-c", script]), {
      cwd: bench.workspace,
      steps: [{ after: /ready/, type: "\u0003" }],
    });
    expect([code, screen]).toEqual([41, expect.stringContaining("caught")]);
  });

  test("leaves nothing running when its caller's pipe closes", async () => {
    const mark = `toolbox-${randomUUID()}`;
    const { code } = await bench.run("yes", [mark], {
      onStart: (child) => child.stdout?.once("data", () => child.stdout?.destroy()),
    });
    expect(code).not.toBe(0);
    await expect.poll(() => findProcesses(mark), { timeout: 60_000 }).toEqual([]);
    const [program, args] = asCaller("yes", [mark]);
    const pipe = ["-c", '"$@" | head -n 1; echo "${PIPESTATUS[0]}"', "bash", program, ...args];
    const { stdout } = await runProgram("bash", pipe, { cwd: bench.workspace });
    expect(stdout).toBe(`${mark}\n141\n`);
    await expect.poll(() => findProcesses(mark), { timeout: 60_000 }).toEqual([]);
  });
});
