// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LockedTool } from "../../src/catalog/index.ts";
import { machinePaths } from "../../src/cli/machine-paths.ts";
import { type Platform, PLATFORMS } from "../../src/core/platform.ts";
import type { Lockfile } from "../../src/workspace/index.ts";
import { makeFolder, outputOf, ROOT, type TemporaryFolder } from "../support/programs.ts";
import { canBuildGoPrograms, prepareGoProgram } from "../support/programs-go.ts";
import { canRunArm64 } from "../support/programs-qemu.ts";
import { type ReportedImage, runToolbox } from "../support/programs-toolbox.ts";
import { makeWorkspace } from "../support/small-workspace.ts";
import { unpackLayers } from "../support/unpacked-layers.ts";

const IMAGES = join(ROOT, "images");
const LOCK = JSON.parse(readFileSync(join(IMAGES, "toolbox.lock"), "utf8")) as Lockfile;
const CASES = Object.keys(LOCK.images).flatMap((image) =>
  PLATFORMS.map((platform) => [image, platform] as const),
);
/** Milliseconds: the first build compiles the Go programs, and the first run syft. */
const PATIENCE = 7_200_000;

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await makeFolder("judges");
});
afterAll(async () => folder?.remove());

describe.runIf(canBuildGoPrograms())("syft, told nothing but the image,", () => {
  let syft: string;
  beforeAll(async () => {
    syft = await prepareGoProgram("syft");
  }, PATIENCE);

  test.each(CASES)(
    "lists what %s for %s is made of, in the locked versions",
    async (image, platform) => {
      const layout = await exportImage(["-C", IMAGES], image, platform);
      const seen = await listContent(syft, layout);
      const tools = toolsOf(LOCK, image);
      expect(seen.deb).toEqual(debianPackagesOf(LOCK, tools, platform));
      expect(seen["go-module"]).toEqual(expect.arrayContaining(goModulesOf(tools, platform)));
      expect(seen.python).toEqual(expect.arrayContaining(wheelsOf(tools, platform)));
    },
    PATIENCE,
  );

  test(
    "lists the packages of a tool from an npm registry",
    async () => {
      const workspace = await makeWorkspace();
      try {
        await workspace.write("toolbox.yaml", NPM_WORKSPACE);
        expect(await workspace.toolbox(["lock"])).toMatchObject({ code: 0 });
        const lock = JSON.parse(readFileSync(join(workspace.path, "toolbox.lock"), "utf8")) as Lockfile;
        const layout = await exportImage(["-C", workspace.path], "lint", "linux/arm64", workspace.env);
        const { npm } = await listContent(syft, layout);
        const entry = lock.tools["markdownlint-cli2"]?.platforms["linux/arm64"];
        const modules = entry?.source === "npm" ? entry.modules : [];
        expect(modules.length).toBeGreaterThan(30);
        expect(npm).toEqual(expect.arrayContaining(modules.map(({ name, version }) => `${name} ${version}`)));
      } finally {
        await workspace.remove();
      }
    },
    PATIENCE,
  );
});

describe.runIf(process.getuid?.() === 0)("dpkg and apt, inside,", () => {
  let reports: readonly ReportedImage[];
  const { store } = machinePaths(process.env, homedir());
  beforeAll(async () => {
    const { code, stdout, stderr } = await runToolbox(["-C", IMAGES, "build", "--frozen", "--json"], {
      timeout: PATIENCE,
    });
    expect(code, stderr).toBe(0);
    reports = (JSON.parse(stdout) as { images: readonly ReportedImage[] }).images;
  }, PATIENCE);

  const runnable = CASES.filter(([, platform]) => platform === "linux/amd64" || canRunArm64());
  test.each(runnable)(
    "find nothing amiss in %s for %s",
    async (image, platform) => {
      const report = reports.find(({ name }) => name === image);
      const platforms = report?.platforms.filter((one) => one.platform === platform) ?? [];
      const root = join(folder.path, "root");
      try {
        const { inside } = await unpackLayers(report && { ...report, platforms }, store, root);
        expect(await inside("dpkg --audit && apt-get -qq check && dpkg --configure -a")).toBe("");
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    },
    PATIENCE,
  );
});

const NPM_WORKSPACE = `
registry: localhost:5000/lint
platforms: [linux/arm64]
base: { debian: trixie, packages: [bash, libnss-unknown, nodejs] }
tools:
  markdownlint-cli2: { source: npm, version: "0.18" }
images:
  lint: { tools: [markdownlint-cli2] }
`;

/** Writes one platform of an image into a layout of its own, and gives its folder. */
async function exportImage(
  where: readonly string[],
  image: string,
  platform: Platform,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const layout = join(folder.path, "layout");
  await rm(layout, { recursive: true, force: true });
  const which = ["--image", image, "--platform", platform, "--output", `oci:${layout}`];
  const { code, stderr } = await runToolbox([...where, "build", "--frozen", ...which], {
    env,
    timeout: PATIENCE,
  });
  expect(code, stderr).toBe(0);
  return layout;
}

/** What syft finds, by kind: each `name version`, sorted, once. Names of Python projects are normalised. */
async function listContent(
  syft: string,
  layout: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const scratch = join(folder.path, "syft");
  const env = { SYFT_CHECK_FOR_APP_UPDATE: "false", TMPDIR: folder.path, XDG_CACHE_HOME: scratch };
  const text = await outputOf(syft, ["scan", "-q", "-o", "syft-json", `oci-dir:${layout}`], {
    env,
    timeout: PATIENCE,
  });
  const { artifacts } = JSON.parse(text) as {
    artifacts: readonly { readonly name: string; readonly version: string; readonly type: string }[];
  };
  const found: Record<string, string[]> = {};
  for (const { name, version, type } of artifacts) {
    const shown = type === "python" ? name.toLowerCase().replaceAll(/[-_.]+/g, "-") : name;
    (found[type] ??= []).push(`${shown} ${version}`);
  }
  for (const type of Object.keys(found)) found[type] = [...new Set(found[type])].toSorted();
  return { deb: [], python: [], npm: [], "go-module": [], ...found };
}

function toolsOf(lock: Lockfile, image: string): readonly LockedTool[] {
  const { extends: parent, tools = [] } = lock.images[image] ?? {};
  const own = tools.map((name) => lock.tools[name]).filter((tool) => tool !== undefined);
  return [...(parent === undefined ? [] : toolsOf(lock, parent)), ...own];
}

function debianPackagesOf(
  { base }: Lockfile,
  tools: readonly LockedTool[],
  platform: Platform,
): readonly string[] {
  const packages = base?.kind === "debian" ? [...(base.platforms[platform] ?? [])] : [];
  for (const { platforms } of tools) {
    const entry = platforms[platform];
    if (entry !== undefined && "packages" in entry) packages.push(...entry.packages);
  }
  return [...new Set(packages.map(({ name, version }) => `${name} ${version}`))].toSorted();
}

function goModulesOf(tools: readonly LockedTool[], platform: Platform): string[] {
  return tools.flatMap(({ platforms }) => {
    const entry = platforms[platform];
    return entry?.source === "go" ? [`${entry.module} ${entry.version}`] : [];
  });
}

function wheelsOf(tools: readonly LockedTool[], platform: Platform): string[] {
  return tools.flatMap(({ platforms }) => {
    const entry = platforms[platform];
    return entry?.source === "pypi"
      ? entry.wheels.map(({ project, version }) => `${project} ${version}`)
      : [];
  });
}
