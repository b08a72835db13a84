// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLayoutStore } from "../../src/oci/index.ts";
import { putEngineImage } from "../support/engine-image.ts";
import { ENGINES_UNDER_TEST, type ReadyEngine } from "../support/engine-list.ts";
import {
  hasPrograms,
  outputOf,
  type ProgramResult,
  ROOT,
  runProgram,
  type RunProgramOptions,
} from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

const LOCK = JSON.stringify({
  lockVersion: 1,
  images: { tools: { tools: [] } },
  session: { image: "tools", mounts: [], env: ["TOKEN"], credentials: [] },
});

let workspace: SmallWorkspace;
beforeAll(async () => {
  workspace = await makeWorkspace();
  const store = await openLayoutStore(workspace.store);
  await store.tag("tools:latest", await putEngineImage(store));
  await workspace.write("toolbox.lock", LOCK);
  await mkdir(join(workspace.path, "charts"));
});
afterAll(() => workspace?.remove());

describe.runIf(canStartDocker())("on docker", () => {
  let docker: RunningDocker;
  beforeAll(async () => {
    docker = await startDocker();
  });
  afterAll(async () => docker?.stop());

  const toolbox = async (
    args: readonly string[],
    options: RunProgramOptions = {},
  ): Promise<ProgramResult> => {
    const env = { ...docker.env, TOOLBOX_ENGINE: "docker", ...options.env };
    return workspace.toolbox(args, { ...options, env });
  };
  const containers = async (): Promise<string[]> =>
    (await outputOf("docker", ["ps", "--quiet"], { env: docker.env })).split("\n").filter((id) => id !== "");

  test("a container that is up runs the commands, as exactly as a new one", async () => {
    const up = await toolbox(["up", "--json"]);
    expect(up).toMatchObject({ code: 0, stderr: expect.stringContaining("30 minutes") });
    const { name } = JSON.parse(up.stdout) as { name: string };
    expect(await toolbox(["up"])).toMatchObject({ code: 0, stdout: `${name} was up already\n` });
    expect(await toolbox(["ps"])).toMatchObject({ code: 0, stdout: expect.stringContaining(name) });
    expect(await toolbox(["logs"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("1800 seconds"),
    });

    await toolbox(["touch", "/tmp/here"]);
    expect(await toolbox(["stat", "-c", "%n", "/tmp/here"])).toMatchObject({
      code: 0,
      stdout: "/tmp/here\n",
    });
    const args = ["printf", "%s|", "a b", "", "$(id)", "-x"];
    expect(await toolbox(args)).toMatchObject({ code: 0, stdout: "a b||$(id)|-x|" });
    expect(await toolbox(["sh", "-c", "exit 125"])).toMatchObject({ code: 125, stderr: "" });
    expect(await toolbox(["no-such-command"])).toMatchObject({ code: 127 });
    const cwd = join(workspace.path, "charts");
    expect(await toolbox(["pwd"], { cwd })).toMatchObject({ stdout: "/work/charts\n" });
    const env = { TOKEN: "t0ken", OTHER: "sentinel" };
    const said = await toolbox(["exec", "env"], { env });
    expect(said.stdout).toContain("TOKEN=t0ken\n");
    expect(said.stdout).not.toContain("sentinel");
    const inspected = await outputOf("docker", ["inspect", name], { env: docker.env });
    expect(inspected).not.toContain("t0ken");
  });

  test("signals reach the command, and the command decides", async () => {
    const { code, stdout } = await toolbox(
      ["bash", "-c", "trap 'echo bye; exit 42' TERM; echo ready; while :; do sleep 0.05; done"],
      { onStart: (child) => child.stdout?.once("data", () => child.kill("SIGTERM")) },
    );
    expect([code, stdout]).toEqual([42, "ready\nbye\n"]);
  });

  // `docker top` calls the host's ps.
  test.runIf(hasPrograms("ps")).each(["pipe", "socket"])(
    "a reader of a %s that goes away ends the command in the container too",
    async (kind) => {
      if (kind === "pipe") {
        const toolbox = '"$0" "$@" | head -1 >/dev/null; exit "${PIPESTATUS[0]}"';
        const args = ["-c", toolbox, process.execPath, join(ROOT, "dist", "cli", "main.js"), "yes"];
        const env = { ...docker.env, ...workspace.env, TOOLBOX_ENGINE: "docker" };
        expect(await runProgram("bash", args, { cwd: workspace.path, env })).toMatchObject({
          code: 141,
          stderr: "",
        });
      } else {
        expect(await toolbox(["yes"], { onStart: stopReading })).toMatchObject({ code: 141, stderr: "" });
      }
      const [id = ""] = await containers();
      const processes = async (): Promise<string> =>
        outputOf("docker", ["top", id, "-o", "pid,args"], { env: docker.env });
      // It was told to end, and takes its time on a busy machine.
      await expect.poll(processes, { timeout: 30_000 }).not.toMatch(/ yes$/m);
    },
  );

  test("a container that went away without a word is no hindrance", async () => {
    const [id = ""] = await containers();
    await outputOf("docker", ["kill", id], { env: docker.env });
    expect(await toolbox(["sh", "-c", "[ -e /tmp/here ] || echo fresh"])).toMatchObject({
      stdout: "fresh\n",
    });
    expect(await toolbox(["exec", "true"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("toolbox up"),
    });
  });

  test("down ends it", async () => {
    await toolbox(["up"]);
    expect(await containers()).toHaveLength(1);
    expect(await toolbox(["down"])).toMatchObject({ code: 0, stdout: expect.stringContaining("is down") });
    expect(await containers()).toEqual([]);
  });

  test("it ends by itself, but never under a command", async () => {
    await toolbox(["up", "--idle", "0.03"]);
    expect(await toolbox(["sh", "-c", "sleep 5; echo done"])).toMatchObject({ code: 0, stdout: "done\n" });
    for (let attempt = 0; attempt < 100 && (await containers()).length > 0; attempt += 1) await wait(100);
    expect(await containers()).toEqual([]);
    expect(await toolbox(["printf", "cold"])).toMatchObject({ code: 0, stdout: "cold", stderr: "" });
  });
});

describe.each(ENGINES_UNDER_TEST.filter(({ name }) => name === "podman"))("on $title", (engine) => {
  let ready: ReadyEngine;
  beforeAll(async () => {
    ready = await engine.start();
  });
  afterAll(async () => ready?.stop());

  test("a container stays up from one command to the next, and down ends it", async () => {
    const env = { ...ready.env, TOOLBOX_ENGINE: "podman", TOKEN: "t0ken" };
    const toolbox = async (...args: string[]): Promise<ProgramResult> => workspace.toolbox(args, { env });
    expect(await toolbox("up")).toMatchObject({ code: 0, stdout: expect.stringContaining("is up") });
    expect(await toolbox("sh", "-c", 'echo "$TOKEN" >/tmp/here; exit 42')).toMatchObject({ code: 42 });
    expect(await toolbox("cat", "/tmp/here")).toMatchObject({ code: 0, stdout: "t0ken\n" });
    expect(await toolbox("ps")).toMatchObject({ stdout: expect.stringContaining("running") });
    expect(await toolbox("down")).toMatchObject({ code: 0, stdout: expect.stringContaining("is down") });
    expect(await toolbox("ps")).toMatchObject({ code: 0, stdout: "" });
  });
});

test("the embedded runner needs none, and says so", async () => {
  const { code, stderr } = await workspace.toolbox(["up", "--engine", "embedded"]);
  expect(code).toBe(8);
  expect(stderr).toContain("starts in milliseconds");
});

/** Reads a little through the socket that we gave the child for a stdout, and goes. */
function stopReading(child: ChildProcess): void {
  child.stdout?.once("data", () => child.stdout?.destroy());
}
