// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EngineBench, openEngineBench, removeCompiled } from "../support/engine-bench.ts";
import { ENGINES_UNDER_TEST, type EngineUnderTest, type ReadyEngine } from "../support/engine-list.ts";
import { runOnTerminal } from "../support/terminal.ts";

afterAll(removeCompiled);

describe.each(ENGINES_UNDER_TEST)("$title", (engine: EngineUnderTest) => {
  let ready: ReadyEngine;
  let bench: EngineBench;
  beforeAll(async () => {
    ready = await engine.start();
    bench = await openEngineBench({ engine: engine.name, caller: engine.caller, env: ready.env });
    // The first run unpacks or loads the image.
    expect(await bench.run(["true"])).toMatchObject({ code: 0, stderr: "" });
  });
  afterAll(async () => {
    await bench?.remove();
    await ready?.stop();
  });

  const textOf = async (argv: string[], options: Parameters<EngineBench["run"]>[1] = {}): Promise<string> => {
    const { code, stdout, stderr } = await bench.run(argv, options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.toString("utf8");
  };

  test("passes every argument as it is", async () => {
    const argv = [
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
      "!",
      "a=b",
      "%s",
    ];
    expect((await textOf(["printf", "%s\\0", ...argv])).split("\0").slice(0, -1)).toEqual(argv);
  });

  test("passes stdin and stdout through, every byte", async () => {
    const bytes = randomBytes(300_000);
    const { code, stdout } = await bench.run(["cat"], { input: bytes });
    expect(code).toBe(0);
    expect(stdout.equals(bytes)).toBe(true);
  });

  test("keeps stderr apart from stdout", async () => {
    const result = await bench.run(["sh", "-c", "echo out; echo err >&2"]);
    expect([result.stdout.toString(), result.stderr]).toEqual(["out\n", "err\n"]);
  });

  test.each([0, 1, 3, 125, 126, 127, 255])("gives exit code %i on", async (code) => {
    expect((await bench.run(["sh", "-c", `exit ${code}`])).code).toBe(code);
  });

  test("says 127 for a command that is not there", async () => {
    const { code, stderr } = await bench.run(["no-such-command"]);
    expect(code).toBe(127);
    expect(stderr).toContain("no-such-command");
  });

  test("says 126 for a file that is not executable", async () => {
    await writeFile(join(bench.workspace, "plain.txt"), "text", { mode: 0o644 });
    expect((await bench.run(["/work/plain.txt"])).code).toBe(126);
  });

  test("says 128+n for a command that a signal ended", async () => {
    expect((await bench.run(["sh", "-c", "kill -9 $$"])).code).toBe(137);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const)("passes %s on, and the command decides", async (signal, plain) => {
    const send = (script: string): ReturnType<EngineBench["run"]> =>
      bench.run(["bash", "-c", script], {
        onStart: (child) =>
          child.stdout?.once("data", () => {
            setTimeout(() => child.kill(signal), engine.deafFor);
          }),
      });
    const trapped = await send(
      `trap 'echo bye; exit 42' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`,
    );
    expect([trapped.code, trapped.stdout.toString()]).toEqual([42, "ready\nbye\n"]);
    expect((await send("echo ready; exec sleep 60")).code).toBe(plain);
  });

  test("starts in the folder that it was called in", async () => {
    expect(await textOf(["pwd"])).toBe("/work\n");
    expect(await textOf(["pwd"], { cwd: join(bench.workspace, "charts", "web") })).toBe("/work/charts/web\n");
  });

  test("runs as the caller, who has a name and a home", async () => {
    const said = await textOf(["sh", "-c", 'id -u; id -g; whoami; echo "$HOME"; stat -c %u "$HOME" /work']);
    const { uid, gid } = engine.inside;
    const name = uid === 0 ? "root" : "ada";
    expect(said).toBe(`${uid}\n${gid}\n${name}\n/home/toolbox\n${uid}\n${uid}\n`);
  });

  test("makes files in the working folder the caller's, under the caller's umask", async () => {
    await textOf(["sh", "-c", "mkdir -p made && echo text > made/file"]);
    const { uid, gid, mode } = await stat(join(bench.workspace, "made", "file"));
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ ...engine.caller, mode: 0o644 });
    expect(await readFile(join(bench.workspace, "made", "file"), "utf8")).toBe("text\n");
  });

  test("keeps HOME from one command to the next, and nothing else", async () => {
    await textOf(["sh", "-c", "echo kept > ~/note; echo lost > /tmp/note"]);
    expect(await textOf(["sh", "-c", "cat ~/note; cat /tmp/note 2>/dev/null || echo gone"])).toBe(
      "kept\ngone\n",
    );
  });

  test("shows the image's variables and ours, and none of the host's", async () => {
    const env = { SENTINEL: "host-secret", PASSED: "on purpose" };
    const said = await textOf(["env"], { env, session: { settings: { env: ["PASSED", "SET=a b"] } } });
    expect(said).toContain("FROM_IMAGE=yes\n");
    expect(said).toContain("PASSED=on purpose\n");
    expect(said).toContain("SET=a b\n");
    expect(said).toContain("GIT_CONFIG_VALUE_0=/work\n");
    expect(said).not.toContain("host-secret");
    expect(said).not.toMatch(/^(?:DOCKER_HOST|CONTAINERS_CONF|OLDPWD|SHLVL)=/m);
  });

  test("mounts read-only what it says is read-only", async () => {
    const session = { settings: { mounts: [{ source: "charts", target: "/opt/a:b, c" }] } };
    if (engine.name === "podman") session.settings.mounts = [{ source: "charts", target: "/opt/a, c" }];
    const [{ target } = { target: "" }] = session.settings.mounts;
    const script =
      'ls -d "$1/web" 2>/dev/null; [ -d "$1/web" ] && echo seen; touch "$1/x" 2>/dev/null || echo refused';
    expect(await textOf(["sh", "-c", script, "sh", target], { session })).toBe("seen\nrefused\n");
  });

  test("has no capability, and no way to get one", async () => {
    const said = await textOf([
      "sh",
      "-c",
      "while read -r key value; do case $key in Cap[PEBA]*|NoNewPrivs:) echo $key $value;; esac; done < /proc/self/status",
    ]);
    expect(said).toContain("CapPrm: 0000000000000000\n");
    expect(said).toContain("CapEff: 0000000000000000\n");
    expect(said).toContain("NoNewPrivs: 1\n");
  });

  test("has a terminal only when both ends are terminals", async () => {
    expect((await bench.run(["sh", "-c", "tty; [ -t 1 ] || echo piped"])).stdout.toString()).toBe(
      "not a tty\npiped\n",
    );
    const [program = "", ...args] = await bench.commandLine([
      "sh",
      "-c",
      '[ -t 0 ] && [ -t 1 ] && echo terminal "$TERM"; for i in 1 2 3 4 5 6 7 8 9; do [ "$(stty size)" = "0 0" ] || break; sleep 0.2; done; stty size',
    ]);
    const { uid, gid } = engine.caller;
    const { code, screen } = await runOnTerminal(
      "setpriv",
      [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", program, ...args],
      {
        cwd: bench.workspace,
        env: bench.env,
      },
    );
    expect(screen).toContain("terminal xterm");
    expect(screen).toContain("40 120");
    expect(code).toBe(0);
  });

  test("lets Ctrl-C on a terminal reach the command once, and the command decide", async () => {
    const [program = "", ...args] = await bench.commandLine([
      "bash",
      "-c",
      "trap 'echo caught; n=$((n+1))' INT; echo ready; while [ ! -e /work/stop ] && [ $SECONDS -lt 20 ]; do sleep 0.1; [ -n \"$n\" ] && [ $((++after)) -gt 5 ] && exit $((40+n)); done",
    ]);
    const { uid, gid } = engine.caller;
    const { code, screen } = await runOnTerminal(
      "setpriv",
      [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", program, ...args],
      {
        cwd: bench.workspace,
        env: bench.env,
        steps: [{ after: /ready/, type: "\u0003" }],
      },
    );
    expect(screen).toContain("caught");
    expect(code).toBe(41);
  });

  test("leaves nothing running when its caller's pipe closes", async () => {
    const { code, stderr } = await bench.run(["yes"], {
      onStart: (child) => child.stdout?.once("data", () => child.stdout?.destroy()),
    });
    expect(stderr).not.toMatch(/internal error|\n {4}at /);
    expect(code).not.toBe(0);
  });
});
