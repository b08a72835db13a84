// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLayoutStore } from "../../src/oci/index.ts";
import { putEngineImage } from "../support/engine-image.ts";
import { ENGINES_UNDER_TEST, type ReadyEngine } from "../support/engine-list.ts";
import { findProcesses } from "../support/process-list.ts";
import { type ProgramResult, ROOT, runProgram } from "../support/programs.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

let workspace: SmallWorkspace;
beforeAll(async () => {
  workspace = await makeWorkspace();
  const store = await openLayoutStore(workspace.store);
  await store.tag("tools:latest", await putEngineImage(store));
  await workspace.write(
    "toolbox.lock",
    JSON.stringify({
      lockVersion: 1,
      images: { tools: { tools: [] } },
      session: { image: "tools", mounts: [], env: [], credentials: [] },
    }),
  );
});
afterAll(() => workspace?.remove());

describe.each(ENGINES_UNDER_TEST.filter(({ user }) => user === "root"))("$title", (engine) => {
  let ready: ReadyEngine;
  let env: Readonly<Record<string, string | undefined>>;
  beforeAll(async () => {
    ready = await engine.start();
    env = { ...workspace.env, ...ready.env, TOOLBOX_ENGINE: engine.name };
    expect(await workspace.toolbox(["true"], { env })).toMatchObject({ code: 0 });
  });
  afterAll(async () => ready?.stop());

  test.each([
    ["stdout", '"$@" | head -1'],
    ["stdout and stderr", '"$@" 2>&1 | head -1'],
  ])("a command whose %s nobody reads any more ends quietly, wherever it runs", async (_, pipe) => {
    const word = randomUUID();
    // 128 + SIGPIPE. Podman ends the command itself, and where its words are lost as well, only its code is left.
    const code = engine.name === "podman" && pipe.includes("2>&1") ? "(?:126|141)" : "141";
    expect(await inShell(`${pipe}; echo "\${PIPESTATUS[0]}"`, ["yes", word])).toEqual({
      code: 0,
      stdout: expect.stringMatching(`^${word}\n${code}\n$`),
      stderr: "",
    });
    expect(await isGone(word)).toBe(true);
  });

  test("so does one that a program reads through a socket", async () => {
    const word = randomUUID();
    const { stderr } = await workspace.toolbox(["yes", word], {
      env,
      onStart: (child) => child.stdout?.once("data", () => child.stdout?.destroy()),
    });
    // Where the command has the socket itself, it is told of the reset, and says so as it does without us.
    expect(stderr).toMatch(/^(?:yes: .*\n)?$/);
    expect(await isGone(word)).toBe(true);
  });

  test("what a command says of its own pipes is shown", async () => {
    const script = "echo one >&2; echo 'write /dev/stdout: broken pipe' >&2; echo two >&2; exit 1";
    expect(await workspace.toolbox(["sh", "-c", script], { env })).toMatchObject({
      code: 1,
      stderr: "one\nwrite /dev/stdout: broken pipe\ntwo\n",
    });
  });

  async function inShell(script: string, args: readonly string[]): Promise<ProgramResult> {
    const toolbox = [process.execPath, join(ROOT, "dist", "cli", "main.js")];
    const shell = ["-c", script, "bash", ...toolbox, ...args];
    return runProgram("bash", shell, { cwd: workspace.path, env });
  }
});

/** Whether no process of this machine, containers included, has this word in its command line any more. */
async function isGone(word: string): Promise<boolean> {
  for (const end = Date.now() + 30_000; Date.now() < end; await wait(50)) {
    if ((await findProcesses(word)).length === 0) return true;
  }
  return false;
}
