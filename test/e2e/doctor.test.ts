// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLayoutStore } from "../../src/oci/index.ts";
import { putEngineImage } from "../support/engine-image.ts";
import { hasPrograms, makeFolder, outputOf, type TemporaryFolder } from "../support/programs.ts";
import { canStartDocker, startDocker } from "../support/programs-docker.ts";
import { type RunningRegistry, serveRegistry } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly message: string;
  readonly cure?: string;
}

let folder: TemporaryFolder;
let registry: RunningRegistry;
let publisher: SmallWorkspace;
let reference = "";
beforeAll(async () => {
  folder = await makeFolder("doctor");
  registry = await serveRegistry(join(folder.path, "registry"));
  publisher = await makeWorkspace();
  const store = await openLayoutStore(publisher.store);
  await store.tag("tools:latest", await putEngineImage(store));
  reference = `${registry.host}/team/tools:1`;
  const { code, stderr } = await publisher.toolbox([
    "image",
    "copy",
    `oci:${publisher.store}:tools:latest`,
    reference,
  ]);
  expect(code, stderr).toBe(0);
});
afterAll(async () => {
  await publisher?.remove();
  await registry?.stop();
  await folder?.remove();
});

describe("an image that the workspace uses", () => {
  let work: SmallWorkspace;
  beforeAll(async () => {
    work = await makeWorkspace();
    await work.write("toolbox.yaml", `use: ${reference}\n`);
    expect((await work.toolbox(["lock"])).code).toBe(0);
  });
  afterAll(() => work?.remove());

  const imageFinding = async (env: Readonly<Record<string, string>> = {}): Promise<Finding | undefined> => {
    const { code, stdout, stderr } = await work.toolbox(["doctor", "--json"], { env });
    const { findings, healthy } = JSON.parse(stdout) as { findings: Finding[]; healthy: boolean };
    expect([code, stderr]).toEqual([healthy ? 0 : 1, ""]);
    return findings.find(({ check }) => check === `image ${reference}`);
  };

  test("is missed, then found in the local store", async () => {
    expect(await imageFinding()).toMatchObject({ state: "warning", cure: "Run `toolbox pull`." });
    expect((await work.toolbox(["pull"])).code).toBe(0);
    expect(await imageFinding()).toMatchObject({
      state: "fine",
      message: expect.stringContaining("local store"),
    });
  });

  test.runIf(hasPrograms("bwrap"))("is found with the runner that unpacked it", async () => {
    expect(await work.toolbox(["true"], { env: { TOOLBOX_ENGINE: "bubblewrap" } })).toMatchObject({
      code: 0,
    });
    expect(await imageFinding()).toMatchObject({ state: "fine", message: expect.stringMatching(/holds/) });
  });

  test.runIf(canStartDocker())("is found with docker, until somebody prunes", async () => {
    const docker = await startDocker();
    try {
      const env = { ...docker.env, TOOLBOX_ENGINE: "docker" };
      expect(await work.toolbox(["true"], { env })).toMatchObject({ code: 0 });
      expect(await imageFinding(env)).toMatchObject({ message: expect.stringMatching(/^docker holds/) });
      const ids = (await outputOf("docker", ["images", "--quiet"], { env: docker.env })).trim().split("\n");
      await outputOf("docker", ["rmi", "--force", ...new Set(ids)], { env: docker.env });
      expect(await imageFinding(env)).toMatchObject({ message: expect.not.stringMatching(/^docker holds/) });
    } finally {
      await docker.stop();
    }
  });
});

test("for people, each finding is a line, and each cure the line below", async () => {
  const env = { PATH: "/nonexistent", TOOLBOX_ENGINE: "docker" };
  const { code, stdout } = await publisher.toolbox(["doctor"], { env });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^BROKEN {3}engine docker: TOOLBOX_ENGINE names it, but .*\n {9}Install docker/m);
  expect(stdout).toMatch(/^ok {7}workspace: /m);
});
