// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, outputOf, type ProgramResult, type TemporaryFolder } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { type RunningRegistry, serveRegistry } from "../support/programs-toolbox.ts";
import { prepareReleaser, type Releaser } from "../support/released-image.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

describe.runIf(canStartDocker())("docker, which has pulled a tag that has moved since,", () => {
  let docker: RunningDocker;
  let folder: TemporaryFolder;
  let registry: RunningRegistry;
  let releaser: Releaser;
  let workspace: SmallWorkspace;

  beforeAll(async () => {
    docker = await startDocker();
    folder = await makeFolder("stale");
    registry = await serveRegistry(join(folder.path, "registry"));
    releaser = await prepareReleaser(registry.host);
    workspace = await makeWorkspace();
  });
  afterAll(async () => {
    await workspace?.remove();
    await releaser?.remove();
    await registry?.stop();
    await folder?.remove();
    await docker?.stop();
  });

  const hello = async (): Promise<ProgramResult> =>
    workspace.toolbox(["hello"], { env: { ...docker.env, TOOLBOX_ENGINE: "docker" } });
  const dockerItself = async (): Promise<string> => {
    const words = ["run", "--rm", "--network", "none", "--entrypoint", "hello", `${releaser.repository}:1`];
    return outputOf("docker", words, { env: docker.env });
  };

  test("runs the image that the lock names, and not the old one of that name", async () => {
    const first = await releaser.release({ hello: "1.0.0" }, ["1"]);
    await outputOf("docker", ["pull", "--quiet", `${releaser.repository}:1`], { env: docker.env });
    await outputOf("docker", ["pull", "--quiet", `${releaser.repository}@${first}`], { env: docker.env });
    await workspace.write("toolbox.yaml", `use: ${releaser.repository}:1\nsession: { network: none }\n`);
    expect(await workspace.toolbox(["lock"])).toMatchObject({ code: 0 });
    expect(await hello()).toMatchObject({ code: 0, stdout: "hello 1.0.0\n" });

    await releaser.release({ hello: "2.0.0" }, ["1"]);
    expect(await hello()).toMatchObject({ code: 0, stdout: "hello 1.0.0\n" });
    expect(await workspace.toolbox(["upgrade"])).toMatchObject({ code: 0 });
    expect(await dockerItself()).toBe("hello 1.0.0\n");
    expect(await hello()).toMatchObject({ code: 0, stdout: "hello 2.0.0\n" });
  });
});
