// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  makeFolder,
  type ProgramResult,
  ROOT,
  runProgram,
  type TemporaryFolder,
} from "../support/programs.ts";
import { runToolbox } from "../support/programs-toolbox.ts";
import { readableRoot } from "../support/readable-root.ts";

const TOOLBOX = join(ROOT, "dist", "cli", "main.js");

let folder: TemporaryFolder;
let broken = "";
let empty = "";
beforeAll(async () => {
  folder = await makeFolder("cli");
  broken = join(folder.path, "broken");
  empty = join(folder.path, "empty");
  await mkdir(broken);
  await mkdir(empty);
  await writeFile(join(broken, "toolbox.yaml"), "tols: {}\nimages:\n  a: { tools: [kubeclt] }\n");
});
afterAll(() => folder?.remove());

describe("the compiled command", () => {
  test("prints its version and its help", async () => {
    expect(await runToolbox(["--version"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
    const help = await runToolbox(["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("Examples:");
  });

  test("runs as a program of its own", async () => {
    expect(await runProgram(TOOLBOX, ["--version"])).toMatchObject({ code: 0 });
  });

  test.runIf(process.getuid?.() === 0)("serves a caller that has a number and no account", async () => {
    const caller = { cwd: "/", uid: 4242, gid: 4343, env: { HOME: undefined } };
    const program = join(readableRoot(), "dist", "cli", "main.js");
    const { code, stdout, stderr } = await runProgram(
      process.execPath,
      [program, "doctor", "--json"],
      caller,
    );
    expect(stderr).not.toContain("internal error");
    expect(JSON.parse(stdout)).toMatchObject({ healthy: code === 0 });
  });

  test("refuses a wrong option with the likely one", async () => {
    const { code, stderr } = await runToolbox(["build", "--platfrom", "amd64"]);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'error: option "--platfrom" is unknown to `toolbox build` [COMMAND_USAGE]\nhint:  Did you mean "--platform"?\n',
    );
  });

  test("tells where a broken toolbox.yaml is wrong, on stderr, without a stack", async () => {
    const { code, stdout, stderr } = await runToolbox(["lock"], { cwd: broken });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toBe(
      `error: ${join(broken, "toolbox.yaml")}:1:1: key "tols" is unknown [WORKSPACE_INVALID]\nhint:  Did you mean "tools"?\n`,
    );
  });

  test("tells the same as JSON on stdout", async () => {
    const { code, stdout } = await runToolbox(["lock", "--json"], { cwd: broken });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: "WORKSPACE_INVALID",
        message: 'key "tols" is unknown',
        hint: 'Did you mean "tools"?',
        position: { file: join(broken, "toolbox.yaml"), line: 1, column: 1 },
      },
    });
  });

  test("finds the workspace from a folder below, and with -C from anywhere", async () => {
    const below = join(broken, "a", "b");
    await mkdir(below, { recursive: true });
    for (const result of [
      await runToolbox(["lock"], { cwd: below }),
      await runToolbox(["-C", broken, "lock"], { cwd: empty }),
      await runToolbox(["lock", "-C", below], { cwd: empty }),
    ]) {
      expect(result.stderr).toContain(`${join(broken, "toolbox.yaml")}:1:1`);
    }
  });

  test("says what a mistyped verb might have been where there is no image", async () => {
    const { code, stderr } = await runToolbox(["pubish"], { cwd: empty });
    expect(code).toBe(3);
    expect(stderr).toContain("Did you mean `toolbox publish`?");
  });

  test("completion scripts are ones that bash reads", async () => {
    const { stdout } = await runToolbox(["completion", "bash"]);
    const checked = await runProgram("bash", [
      "-c",
      `${stdout}\nCOMP_WORDS=(toolbox bui); COMP_CWORD=1; _toolbox_complete; echo "\${COMPREPLY[*]}"`,
    ]);
    expect(checked).toMatchObject({ code: 0, stdout: "build\n" });
  });
});

describe("signals and pipes", () => {
  test.each([
    ["SIGINT", 0],
    ["SIGTERM", 0],
  ] as const)("a registry that is served stops gracefully on %s", async (signal, expected) => {
    const { code, stdout } = await serveAndSignal([signal]);
    expect(stdout).toContain("http://127.0.0.1:");
    expect(code).toBe(expected);
  });

  test("work that is interrupted ends with 130 (SIGINT) and 143 (SIGTERM) and one word", async () => {
    for (const [signal, expected] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const result = await interruptPull(signal);
      expect(result.code).toBe(expected);
      expect(result.stderr).toMatch(/interrupted\n$/);
      expect(result.stderr).not.toMatch(/^\s+at /m);
    }
  });

  test("a reader that goes away ends the output quietly", async () => {
    const command = `"${process.execPath}" "${TOOLBOX}" tools --catalog | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await runProgram("bash", ["-c", command]);
    expect(stdout.trim().split("\n").at(-1)).toBe("0");
    expect(stderr).toBe("");
  });

  test("a closed stdout is no crash", async () => {
    const { stderr } = await runProgram("bash", ["-c", `"${process.execPath}" "${TOOLBOX}" --help >&-`]);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("a result that the disk cannot take is an error", async () => {
    const { stdout, stderr } = await runProgram("bash", [
      "-c",
      `"${process.execPath}" "${TOOLBOX}" --help >/dev/full; echo "$?"`,
    ]);
    expect(stdout).toBe("7\n");
    expect(stderr).toMatch(/^error: no space left to write "stdout" \[DISK_FULL\]\nhint: /);
  });
});

async function serveAndSignal(
  signals: readonly NodeJS.Signals[],
): Promise<{ code: number | null; stdout: string }> {
  const child = spawn(
    process.execPath,
    [TOOLBOX, "registry", "serve", "--listen", "127.0.0.1:0", "--store", join(folder.path, "registry")],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (stdout === "") for (const signal of signals) child.kill(signal);
    stdout += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout };
}

/** Pulls from a server that accepts the connection and never answers, and signals once it is connected. */
async function interruptPull(signal: NodeJS.Signals): Promise<ProgramResult> {
  const { createServer } = await import("node:net");
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const result = await runToolbox(["pull", `127.0.0.1:${port}/team/tools:1`], {
    env: { TOOLBOX_STORE: join(folder.path, "store") },
    onStart: (child) => {
      server.once("connection", () => child.kill(signal));
    },
  });
  server.close();
  return result;
}
