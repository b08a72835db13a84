// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyImage, openLayoutStore } from "../../src/oci/index.ts";
import { openRegistryRepository } from "../../src/registry/client/index.ts";
import { putEngineImage } from "../support/engine-image.ts";
import { hasPrograms, makeFolder, outputOf, type TemporaryFolder } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { canRunPodman, type OwnPodman, preparePodman } from "../support/programs-podman.ts";
import {
  type ReportedImage,
  type ReportedLayer,
  type RunningRegistry,
  serveRegistry,
} from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

const CPU = process.arch === "arm64" ? "arm64" : "amd64";
/** More than an image has layers for, so that small tools have to share some. */
const TOOLS = Array.from({ length: 150 }, (_, index) => `tool${index}`);
const IMAGES = {
  forty: { tools: TOOLS.slice(0, 40) },
  all: { tools: TOOLS },
  more: { extends: "forty", tools: ["tool40", "tool41"] },
};

let folder: TemporaryFolder;
let registry: RunningRegistry;
let workspace: SmallWorkspace;
let images: readonly ReportedImage[];
beforeAll(async () => {
  folder = await makeFolder("many-tools");
  registry = await serveRegistry(join(folder.path, "registry"));
  workspace = await makeWorkspace();
  const store = await openLayoutStore(workspace.store);
  const base = await putEngineImage(store);
  await copyImage(store, openRegistryRepository({ registry: registry.host, repository: "base" }), base, {
    tag: "1",
  });
  for (const name of TOOLS) await workspace.write(name, `#!/bin/bash\necho ${name} 1.0.0\n`);
  await workspace.write("toolbox.yaml", describeWorkspace(registry.host));
  const built = await workspace.toolbox(["build", "--json"]);
  expect(built.code, built.stderr).toBe(0);
  images = (JSON.parse(built.stdout) as { images: readonly ReportedImage[] }).images;
  expect(await workspace.toolbox(["publish"])).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await workspace?.remove();
  await registry?.stop();
  await folder?.remove();
});

test("forty tools have a layer each; of a hundred and fifty, small ones share", () => {
  expect(layersOf("forty").map(({ kind }) => kind)).toEqual(["base", ...Array(40).fill("tool"), "top"]);
  expect(layersOf("all").length).toBeLessThan(65);
});

const CALLS = [
  ["forty", "tool0"],
  ["forty", "tool39"],
  ["all", "tool149"],
  ["more", "tool41"],
] as const;

describe.runIf(canStartDocker())("docker", () => {
  let docker: RunningDocker;
  beforeAll(async () => {
    docker = await startDocker();
  });
  afterAll(async () => docker?.stop());

  test.each(CALLS)("pulls and runs the image %s with %s", async (image, tool) => {
    const { env } = docker;
    await outputOf("docker", ["pull", "--quiet", referenceOf(image)], { env });
    const words = ["run", "--rm", "--network", "none", "--entrypoint=", referenceOf(image), tool];
    expect(await outputOf("docker", words, { env })).toBe(`${tool} 1.0.0\n`);
  });
});

describe.runIf(canRunPodman())("podman", () => {
  let podman: OwnPodman;
  beforeAll(async () => {
    podman = await preparePodman();
  });
  afterAll(async () => podman?.remove());

  test.each(CALLS)("pulls and runs the image %s with %s", async (image, tool) => {
    const { globals, runFlags } = podman;
    await outputOf("podman", [...globals, "pull", "--quiet", "--tls-verify=false", referenceOf(image)]);
    const words = ["run", "--rm", ...runFlags, "--entrypoint=", referenceOf(image), tool];
    expect(await outputOf("podman", [...globals, ...words])).toBe(`${tool} 1.0.0\n`);
  });
});

describe("whoever has an image pulls of another that extends it only what that has more", () => {
  test.runIf(hasPrograms("skopeo"))("by skopeo", async () => {
    const layout = join(folder.path, "layout");
    const copy = async (image: string): Promise<string> =>
      outputOf("skopeo", [
        "copy",
        "--src-tls-verify=false",
        `docker://${referenceOf(image)}`,
        `oci:${layout}:${image}`,
      ]);
    await copy("forty");
    expect(await watchBlobs(async () => void (await copy("more")))).toEqual(expectedBlobs());
  });

  test("by toolbox", async () => {
    const holder = await makeWorkspace();
    const pull = async (image: string): Promise<void> => {
      await holder.write("toolbox.yaml", `use: ${referenceOf(image)}\n`);
      await holder.toolbox(["lock"]);
      expect(await holder.toolbox(["pull"])).toMatchObject({ code: 0 });
    };
    try {
      await pull("forty");
      expect(await watchBlobs(async () => pull("more"))).toEqual(expectedBlobs());
    } finally {
      await holder.remove();
    }
  });
});

function describeWorkspace(host: string): string {
  const tools = TOOLS.map((name) => `  ${name}: { source: file, path: ./${name}, version: "1.0.0" }\n`);
  return `registry: ${host}/team
platforms: [linux/${CPU}]
base: { image: "${host}/base:1" }
tools:
${tools.join("")}images: ${JSON.stringify(IMAGES)}
`;
}

function referenceOf(image: string): string {
  return `${registry.host}/team/${image}:latest`;
}

function layersOf(image: string): readonly ReportedLayer[] {
  return images.find(({ name }) => name === image)?.platforms[0]?.layers ?? [];
}

/** The layers that the one image has and the other has not, without the config, which is new each time. */
function expectedBlobs(): readonly string[] {
  const held = new Set(layersOf("forty").map(({ digest }) => digest));
  const own = layersOf("more").filter(({ digest }) => !held.has(digest));
  expect(own.map(({ name }) => name)).toEqual(["tool40", "tool41", "top"]);
  return own.map(({ digest }) => digest).toSorted();
}

/** The layers that are fetched from the registry meanwhile. It writes its log to the end before it ends. */
async function watchBlobs(work: () => Promise<void>): Promise<readonly string[]> {
  const log = join(folder.path, `access-${randomUUID()}.log`);
  const listen = ["--listen", registry.host, "--access-log"];
  await registry.stop();
  registry = await serveRegistry(join(folder.path, "registry"), { args: listen, log });
  try {
    await work();
  } finally {
    await registry.stop();
    registry = await serveRegistry(join(folder.path, "registry"), { args: ["--listen", registry.host] });
  }
  const layers = new Set(images.flatMap(({ name }) => layersOf(name)).map(({ digest }) => digest));
  const fetched = (await readFile(log, "utf8")).matchAll(/"GET".*?\/blobs\/(sha256:[0-9a-f]{64})/g);
  return [...fetched]
    .map(([, digest = ""]) => digest)
    .filter((digest) => layers.has(digest))
    .toSorted();
}
