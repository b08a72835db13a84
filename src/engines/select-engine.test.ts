// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SessionImage } from "../session/index.ts";
import type { Engine, EngineHost, EngineName } from "./engine.ts";
import { readHeldImage } from "./held-image.ts";
import type { CapturedProgram } from "./program-runner.ts";
import { recallFault } from "./remembered-status.ts";
import { useEngine } from "./select-engine.ts";

const IMAGE: SessionImage = { digest: `sha256:${"a".repeat(64)}`, platform: "linux/amd64" };

let folder: string;
let broken: Set<EngineName>;
let calls: string[];
let notes: string[];
let now: Date;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-select-"));
  broken = new Set(["docker"]);
  calls = [];
  notes = [];
  now = new Date("2026-01-01T12:00:00Z");
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

describe("an engine that answers, but can start nothing,", () => {
  test("gives way to the next, says why, and is left alone for ten minutes", async () => {
    const host = await machine(["docker", "podman"]);
    expect(await tryOut(undefined, host)).toBe("podman");
    expect(notes).toEqual(["docker is there, but cannot start anything: no cgroups here"]);
    expect(calls).toEqual(["docker version", "docker run", "podman version", "podman run"]);
    calls.length = 0;
    expect(await tryOut(undefined, host)).toBe("podman");
    expect([calls, notes.length]).toEqual([[], 1]);
    now = new Date(now.getTime() + 600_000);
    broken.clear();
    expect(await tryOut(undefined, host)).toBe("docker");
  });

  test("is an error when it is asked for by name, and believed again when it is asked so and works", async () => {
    const host = await machine(["docker", "podman"]);
    await expect(tryOut("docker", host)).rejects.toMatchObject({
      code: "ENGINE_UNUSABLE",
      message: "docker is there, but cannot start anything: no cgroups here",
      hint: expect.stringContaining("--engine embedded"),
    });
    expect(await recallFault("docker", host)).toMatchObject({ state: "stopped" });
    expect(await tryOut(undefined, host)).toBe("podman");
    broken.clear();
    expect(await tryOut("docker", host)).toBe("docker");
    expect(await recallFault("docker", host)).toBe(undefined);
    expect(await tryOut(undefined, host)).toBe("docker");
  });

  test("is what the error tells of when no other engine is there", async () => {
    await expect(tryOut(undefined, await machine(["docker"]))).rejects.toMatchObject({
      code: "ENGINE_NOT_RUNNING",
      message: expect.stringContaining("docker is there, but cannot start anything: no cgroups here"),
    });
  });

  test("gives way also where nothing can be remembered", async () => {
    const host = await machine(["docker", "podman"]);
    await writeFile(join(folder, "a-file"), "");
    expect(await useEngine(undefined, { ...host, stateDir: join(folder, "a-file") }, proveDocker)).toBe(
      "podman",
    );
  });
});

test("an engine has to prove itself once for each image", async () => {
  broken.clear();
  const host = await machine(["docker"]);
  await tryOut(undefined, host);
  await tryOut(undefined, host);
  expect(calls).toEqual(["docker version", "docker run"]);
});

test("what else goes wrong is not tried with another engine", async () => {
  await expect(useEngine(undefined, await machine(["docker", "podman"]), failAtOnce)).rejects.toThrow(
    "no such image",
  );
  expect(calls).toEqual(["docker version"]);
});

async function proveDocker(engine: Engine): Promise<string> {
  if (engine.name === "docker") await engine.proveImage?.(IMAGE, { location: "x" });
  return engine.name;
}

async function failAtOnce(): Promise<never> {
  return Promise.reject(new Error("no such image"));
}

/** The engine that is used in the end. */
async function tryOut(wish: string | undefined, host: EngineHost): Promise<string> {
  const use = async (engine: Engine): Promise<string> => {
    await engine.proveImage?.(IMAGE, (await readHeldImage(engine.name, IMAGE, host)) ?? { location: "x" });
    return engine.name;
  };
  return await useEngine(wish, host, use, {
    onProgress: (event) => event.type === "noted" && notes.push(event.note),
  });
}

/** A machine with some engines that all say that they are ready; those that are broken start nothing. */
async function machine(names: readonly EngineName[]): Promise<EngineHost> {
  for (const name of names) await writeFile(join(folder, name), "");
  const capture = async (program: string, [verb = ""]: readonly string[]): Promise<CapturedProgram> => {
    const name = names.find((one) => program === join(folder, one)) ?? "docker";
    calls.push(`${name} ${verb}`);
    const answer = { exitCode: 0, stdout: VERSION, stderr: "", timedOut: false };
    if (verb !== "run") return answer;
    return broken.has(name)
      ? { ...answer, exitCode: 125, stderr: "docker: no cgroups here\nRun 'docker run --help' for more" }
      : { ...answer, exitCode: 127, stderr: "no such file" };
  };
  return {
    os: "darwin",
    uid: 1000,
    gid: 1000,
    env: { PATH: folder },
    dataDir: folder,
    stateDir: join(folder, "state"),
    programs: {
      find: async (name) => (names.some((one) => one === name) ? join(folder, name) : undefined),
      capture,
      start: async () => Promise.reject(new Error("nothing is started here")),
    },
    signals: { listen: () => () => {} },
    hasTerminal: false,
    now: () => now,
  };
}

const VERSION = '{"Client":{"Version":"27.0.1"},"Server":{"Version":"27.0.1"}}';
