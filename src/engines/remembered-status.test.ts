// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EngineHost } from "./engine.ts";
import type { CapturedProgram, ProgramRunner } from "./program-runner.ts";
import { forgetStatus } from "./remembered-status.ts";
import { selectEngine } from "./select-engine.ts";

let folder: string;
let probes: string[];
let now: Date;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-status-"));
  probes = [];
  now = new Date("2026-01-01T12:00:00Z");
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

test("an engine that was ready is not asked again for ten minutes", async () => {
  const host = await machine({ docker: READY });
  await selectEngine(undefined, host);
  const { engine, status } = await selectEngine(undefined, host);
  expect([engine.name, status.version, probes]).toEqual(["docker", "27.0.1", ["docker"]]);
  now = new Date(now.getTime() + 600_000);
  await selectEngine(undefined, host);
  expect(probes).toEqual(["docker", "docker"]);
});

test("an engine whose program was replaced is asked again", async () => {
  const host = await machine({ docker: READY });
  await selectEngine(undefined, host);
  await utimes(join(folder, "docker"), 1, 1);
  await selectEngine(undefined, host);
  expect(probes).toEqual(["docker", "docker"]);
});

test("another daemon is another question", async () => {
  const host = await machine({ docker: READY });
  await selectEngine(undefined, host);
  await selectEngine(undefined, { ...host, env: { ...host.env, DOCKER_HOST: "tcp://192.0.2.1:2375" } });
  expect(probes).toEqual(["docker", "docker"]);
});

test("a refusal is believed for half a minute, but not when the engine is asked for by name", async () => {
  const host = await machine({ docker: STOPPED, podman: PODMAN });
  await selectEngine(undefined, host);
  expect((await selectEngine(undefined, host)).engine.name).toBe("podman");
  expect(probes).toEqual(["docker", "podman"]);
  await expect(selectEngine("docker", host)).rejects.toMatchObject({ code: "ENGINE_NOT_RUNNING" });
  expect(probes).toEqual(["docker", "podman", "docker"]);
});

test("after a failure nothing is believed", async () => {
  const host = await machine({ docker: READY });
  await selectEngine(undefined, host);
  await forgetStatus("docker", host);
  await selectEngine(undefined, host);
  expect(probes).toEqual(["docker", "docker"]);
});

test.each([
  "",
  "{",
  "null",
  '{"asked":1}',
  '{"asked":1,"program":"x","modified":1,"status":{"state":"ready"}}',
])("a damaged note %j is as good as none", async (text) => {
  const host = await machine({ docker: READY });
  await selectEngine(undefined, host);
  const { notesFolder } = await import("./held-image.ts");
  await writeFile(join(notesFolder("docker", host), "status.json"), text);
  expect((await selectEngine(undefined, host)).status.version).toBe("27.0.1");
});

test("a state folder that cannot be written costs time, not the command", async () => {
  const host = await machine({ docker: READY });
  await writeFile(join(folder, "a-file"), "");
  const { engine } = await selectEngine(undefined, { ...host, stateDir: join(folder, "a-file") });
  expect(engine.name).toBe("docker");
});

const READY: CapturedProgram = {
  exitCode: 0,
  stdout: '{"Client":{"Version":"27.0.1"},"Server":{"Version":"27.0.1"}}',
  stderr: "",
  timedOut: false,
};
const PODMAN: CapturedProgram = {
  ...READY,
  stdout: '{"Client":{"APIVersion":"4.3.1","Version":"4.3.1"}}',
};
const STOPPED: CapturedProgram = { ...READY, exitCode: 1, stdout: "", stderr: "Cannot connect" };

/** A machine with some engines, which notes who is asked. */
async function machine(answers: Readonly<Record<string, CapturedProgram>>): Promise<EngineHost> {
  for (const name of Object.keys(answers)) await writeFile(join(folder, name), "");
  const programs: ProgramRunner = {
    find: async (name) => (name in answers ? join(folder, name) : undefined),
    async capture(program) {
      const name = program.split("/").at(-1) ?? "";
      probes.push(name);
      return answers[name] ?? STOPPED;
    },
    start: async () => Promise.reject(new Error("nothing is started here")),
  };
  return {
    os: "linux",
    uid: 1000,
    gid: 1000,
    env: { PATH: folder },
    dataDir: folder,
    stateDir: join(folder, "state"),
    programs,
    signals: { listen: () => () => {} },
    hasTerminal: false,
    now: () => now,
  };
}
