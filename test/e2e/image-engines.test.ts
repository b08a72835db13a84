// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLayoutStore, parseManifest } from "../../src/oci/index.ts";
import { makeFolder, outputOf, runProgram, type TemporaryFolder } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { canRunPodman } from "../support/programs-podman.ts";
import { runToolbox } from "../support/programs-toolbox.ts";
import { putTwoPlatformImage } from "../support/two-platform-image.ts";

const NAME = "localhost/team/tools:1.0";

let folder: TemporaryFolder;
let layout = "";
let id = "";
beforeAll(async () => {
  folder = await makeFolder("image-engines");
  layout = join(folder.path, "layout");
  const store = await openLayoutStore(layout);
  const { manifests } = await putTwoPlatformImage(store, { tag: "1.0", text: "hello" });
  const descriptor = manifests["linux/amd64"];
  if (descriptor === undefined) throw new Error("no amd64");
  const parsed = parseManifest(await store.fetchManifest(descriptor));
  id = parsed.kind === "manifest" ? parsed.manifest.config.digest : "";
});
afterAll(() => folder?.remove());

async function load(target: string, env: Readonly<Record<string, string>>): Promise<string> {
  const words = ["image", "copy", `oci:${layout}:1.0`, target, "--platform", "linux/amd64"];
  const { code, stdout, stderr } = await runToolbox(words, { env });
  return `${code}: ${stdout}${stderr}`;
}

/** The image at hand beside what an engine has of it. */
async function compare(image: string, env: Readonly<Record<string, string>>): Promise<string> {
  const words = ["diff", `oci:${layout}:1.0`, image, "--platform", "linux/amd64", "--files"];
  const { code, stdout, stderr } = await runToolbox(words, { env });
  return `${code}: ${stdout}${stderr}`;
}

/** Engines keep config and layers, but neither the manifest nor the compression. */
const AS_IT_WENT_IN =
  /^1: [^]* of (?:docker|podman) [^]*linux\/amd64\n {2}layer 1: same content, other compression, [^]*descriptor mediaType/;

describe.runIf(canStartDocker())("docker", () => {
  let docker: RunningDocker;
  beforeAll(async () => {
    docker = await startDocker();
  });
  afterAll(() => docker?.stop());

  test("takes an image under its name, with the id that the registry's config has", async () => {
    expect(await load(`docker-daemon:${NAME}`, docker.env)).toMatch(/^0: /);
    const seen = await outputOf("docker", ["image", "inspect", "--format", "{{.Id}}", NAME], {
      env: docker.env,
    });
    expect(seen.trim()).toBe(id);
    expect(await compare(`docker-daemon:${NAME}`, docker.env)).toMatch(AS_IT_WENT_IN);
    expect(await compare("docker-daemon:none:1", docker.env)).toMatch(/^125: .*\[ENGINE_FAILED\]/s);
  });
});

describe.runIf(canRunPodman())("podman", () => {
  test("takes an image under its name, with the id that the registry's config has", async () => {
    const own = await makeFolder("podman-storage");
    const settings = join(own.path, "storage.conf");
    const roots = `graphroot = "${own.path}/root"\nrunroot = "${own.path}/run"\n`;
    await writeFile(settings, `[storage]\ndriver = "vfs"\n${roots}`);
    const env = { CONTAINERS_STORAGE_CONF: settings };
    try {
      expect(await load(`containers-storage:${NAME}`, env)).toMatch(/^0: /);
      const seen = await outputOf("podman", ["image", "inspect", "--format", "{{.Id}}", NAME], { env });
      expect(`sha256:${seen.trim()}`).toBe(id);
      expect(await compare(`containers-storage:${NAME}`, env)).toMatch(AS_IT_WENT_IN);
    } finally {
      await runProgram("podman", ["system", "reset", "--force"], { env });
      await own.remove();
    }
  });
});

test("an engine that is not installed is named, with another way", async () => {
  expect(await load(`docker-daemon:${NAME}`, { PATH: folder.path })).toMatch(
    /^125: [^]*ENGINE_NOT_FOUND[^]*docker-archive:FILE/,
  );
});
