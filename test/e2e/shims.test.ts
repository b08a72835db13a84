// SPDX-License-Identifier: Apache-2.0
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLayoutStore } from "../../src/oci/index.ts";
import { putEngineImage } from "../support/engine-image.ts";
import { outputOf, type ProgramResult, runProgram, type RunProgramOptions } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";
import { runOnTerminal } from "../support/terminal.ts";

const lockWith = (env: readonly string[], credentials: readonly string[] = ["kubeconfig"]): string =>
  JSON.stringify({
    lockVersion: 1,
    images: { tools: { tools: [] } },
    session: { image: "tools", mounts: [], env, credentials },
  });

/** With this, Node.js does not start: what works all the same needed none. */
const NO_NODE = { NODE_OPTIONS: "--no-such-option" };

let workspace: SmallWorkspace;
let shims = "";
beforeAll(async () => {
  workspace = await makeWorkspace();
  const store = await openLayoutStore(workspace.store);
  await store.tag("tools:latest", await putEngineImage(store));
  await workspace.write("toolbox.lock", lockWith([]));
  await mkdir(join(workspace.path, "my charts"));
  await symlink(join(workspace.path, "my charts"), join(workspace.path, "..", "link"));
  shims = join(workspace.path, "..", "bin");
});
afterAll(() => workspace?.remove());

describe("installing", () => {
  test("refuses to stand before a command of that name, unless told to", async () => {
    const refused = await workspace.toolbox(["shims", "install", "ls", "--dir", shims]);
    expect(refused).toMatchObject({
      code: 8,
      stderr: expect.stringMatching(/"ls" is a command already: "\/.*--force/s),
    });
    expect(await workspace.toolbox(["shims", "install", "ls", "--dir", shims, "--force"])).toMatchObject({
      code: 0,
    });
    const { stdout } = await workspace.toolbox(["shims", "list", "--dir", shims]);
    expect(stdout).toBe(`${join(shims, "ls")}\n`);
    expect(await workspace.toolbox(["shims", "remove", "ls", "--dir", shims])).toMatchObject({ code: 0 });
    expect(await workspace.toolbox(["shims", "remove", "ls", "--dir", shims])).toMatchObject({ code: 3 });
  });

  test("overwrites and removes nothing that is not its own", async () => {
    await mkdir(shims, { recursive: true });
    await writeFile(join(shims, "mine"), "#!/bin/sh\n");
    expect(await workspace.toolbox(["shims", "install", "mine", "--dir", shims])).toMatchObject({ code: 8 });
    expect(await workspace.toolbox(["shims", "remove", "mine", "--dir", shims])).toMatchObject({ code: 3 });
    expect(await workspace.toolbox(["shims", "install", "../x", "--dir", shims])).toMatchObject({ code: 2 });
  });
});

describe.runIf(canStartDocker())("on docker, a shim", () => {
  let docker: RunningDocker;
  beforeAll(async () => {
    docker = await startDocker();
    const { code } = await workspace.toolbox([
      "shims",
      "install",
      "--force",
      "--dir",
      shims,
      "cat",
      "printf",
      "pwd",
      "sh",
      "env",
      "tty",
    ]);
    expect(code).toBe(0);
  });
  afterAll(async () => docker?.stop());

  const environment = (): Record<string, string> => ({
    ...docker.env,
    TOOLBOX_ENGINE: "docker",
    TOOLBOX_STORE: workspace.store,
    XDG_STATE_HOME: join(workspace.path, "..", "state"),
    HOME: join(workspace.path, ".."),
  });
  const shim = async (
    tool: string,
    args: readonly string[],
    options: RunProgramOptions = {},
  ): Promise<ProgramResult> =>
    runProgram(join(shims, tool), args, {
      cwd: workspace.path,
      ...options,
      env: { ...environment(), KUBECONFIG: undefined, CI: undefined, ...options.env },
    });

  const said = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const { code, stdout } = await shim("env", [], { env });
    return code === 0 ? stdout : "asked toolbox";
  };

  test("goes through toolbox once, and then needs no Node.js", async () => {
    expect(await shim("printf", ["first"])).toMatchObject({ code: 0, stdout: "first" });
    const args = ["%s|", "a b", "", "$(id)", "-x", "'"];
    expect(await shim("printf", args, { env: NO_NODE })).toEqual({
      code: 0,
      stdout: "a b||$(id)|-x|'|",
      stderr: "",
    });
    expect(await shim("sh", ["-c", "exit 42"], { env: NO_NODE })).toMatchObject({ code: 42 });
  });

  test("starts in the folder that it is called in, links resolved", async () => {
    for (const cwd of [join(workspace.path, "my charts"), join(workspace.path, "..", "link")]) {
      expect(await shim("pwd", [], { cwd, env: NO_NODE })).toMatchObject({ stdout: "/work/my charts\n" });
    }
  });

  test("shows today's CI, and nothing else of the host", async () => {
    const { stdout } = await shim("env", [], { env: { ...NO_NODE, CI: "yes", SENTINEL: "secret" } });
    expect(stdout).toContain("CI=yes\n");
    expect(stdout).not.toMatch(/SENTINEL|NODE_OPTIONS|TOOLBOX_SHIM|DOCKER_HOST/);
  });

  test("has a terminal where its caller has one", async () => {
    const { screen, code } = await runOnTerminal(join(shims, "tty"), [], {
      cwd: workspace.path,
      env: { ...environment(), ...NO_NODE, KUBECONFIG: "" },
    });
    expect([code, screen]).toEqual([0, expect.stringMatching(/\/dev\/(?:pts\/\d|console)/)]);
  });

  test("asks toolbox again when the lock or a credential changes", async () => {
    await workspace.write("toolbox.lock", lockWith(["SET=by the new lock"]));
    expect((await shim("env", [], { env: NO_NODE })).code).not.toBe(0);
    expect((await shim("env", [])).stdout).toContain("SET=by the new lock\n");
    expect((await shim("env", [], { env: NO_NODE })).stdout).toContain("SET=by the new lock\n");
    await mkdir(join(workspace.path, "..", ".kube"));
    await writeFile(join(workspace.path, "..", ".kube/config"), "current-context: new\n");
    expect((await shim("env", [], { env: NO_NODE })).code).not.toBe(0);
    expect((await shim("env", [])).stdout).toContain("KUBECONFIG=/home/toolbox/.kube/config\n");
  });

  test("works with the embedded runner as well, and an OCI runtime goes through toolbox", async () => {
    for (const [engine, needsNode] of [
      ["embedded", false],
      ["runc", true],
    ] as const) {
      const env = { TOOLBOX_ENGINE: engine };
      expect(await shim("printf", ["here"], { env })).toMatchObject({ code: 0, stdout: "here" });
      const { code } = await shim("printf", ["here"], { env: { ...env, ...NO_NODE } });
      expect([engine, code !== 0]).toEqual([engine, needsNode]);
    }
  });

  test("passes what a cloud's variables hold today, and asks toolbox again when one comes or goes", async () => {
    await workspace.write("toolbox.lock", lockWith([], ["aws", "git", "ssh-agent"]));
    await said({ AWS_PROFILE: "one" });
    expect(await said({ ...NO_NODE, AWS_PROFILE: "two" })).toContain("AWS_PROFILE=two\n");
    expect(await said({ ...NO_NODE, AWS_PROFILE: "two", AWS_REGION: "here" })).toBe("asked toolbox");
    expect(await said({ ...NO_NODE, AWS_PROFILE: "" })).toBe("asked toolbox");
    await writeFile(join(workspace.path, "..", ".gitconfig"), "[user]\n  name = Ada\n");
    expect(await said({ ...NO_NODE, AWS_PROFILE: "two" })).toBe("asked toolbox");
  });

  test("uses a container that is up, and a new one when it went away without a word", async () => {
    await workspace.write("toolbox.lock", lockWith([]));
    expect((await shim("printf", ["made"])).stdout).toBe("made");
    await workspace.toolbox(["up"], { env: environment() });
    await shim("sh", ["-c", "echo warm >/tmp/here"], { env: NO_NODE });
    expect((await shim("cat", ["/tmp/here"], { env: NO_NODE })).stdout).toBe("warm\n");
    const env = docker.env;
    const ids = (await outputOf("docker", ["ps", "--quiet"], { env })).split("\n").filter((id) => id !== "");
    expect(ids).toHaveLength(1);
    await outputOf("docker", ["kill", ...ids], { env });
    expect(await shim("sh", ["-c", "[ -e /tmp/here ] || echo fresh"], { env: NO_NODE })).toMatchObject({
      code: 0,
      stdout: "fresh\n",
    });
  });
});
