// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { machineClients } from "../../src/cli/machine-clients.ts";
import { openDispatcher } from "../../src/cli/machine-network.ts";
import { createMirrors } from "../../src/sources/index.ts";
import { createFetcher } from "../../src/sources/fetcher.ts";
import { type RegistryContext, readPackument } from "../../src/sources/npm/registry-client.ts";
import { resolvePackages } from "../../src/sources/npm/resolver.ts";
import { cpuOf } from "../../src/sources/npm/target-node.ts";
import { hasPrograms, makeFolder, outputOf, type TemporaryFolder } from "../support/programs.ts";

type Wishes = Readonly<Record<string, string>>;

let folder: TemporaryFolder;
let context: RegistryContext;
beforeAll(async () => {
  folder = await makeFolder("npm");
  const cacheDir = join(folder.path, "cache");
  const { signal } = new AbortController();
  const clients = machineClients({ env: process.env, cwd: folder.path, signal, goDefaults: unused });
  context = {
    fetchFile: createFetcher({
      cacheDir,
      dispatcher: await openDispatcher(process.env),
      now: () => new Date(),
    }),
    mirrors: createMirrors({ env: process.env, clients }),
  };
});
afterAll(async () => folder?.remove());

describe.runIf(hasPrograms("npm"))("npm is the judge:", () => {
  test.each<[string, Wishes, readonly ("linux/amd64" | "linux/arm64")[]]>([
    ["a tool without dependencies", { prettier: "*" }, ["linux/amd64"]],
    ["a tool with packages for each platform", { "@biomejs/biome": "2" }, ["linux/amd64", "linux/arm64"]],
    ["a tool of many small packages", { "markdownlint-cli2": "0.18" }, ["linux/arm64"]],
    ["a tool with a plugin that is its peer", { eslint: "9", "eslint-plugin-n": "17" }, ["linux/arm64"]],
  ])("the tree of %s is the one that npm installs", async (_, wishes, platforms) => {
    for (const platform of platforms) {
      // npm looks at its own Node.js, so the target is given that one.
      const target = { platform, version: process.versions.node };
      const { packages } = await resolvePackages(wishes, target, {
        readPackument: async (name) => await readPackument(name, context),
      });
      const ours = packages.map(({ path, manifest }) => `${nameOf(path)} ${manifest.version}`);
      expect([...new Set(ours)].toSorted()).toEqual(await askNpm(wishes, cpuOf(platform)));
    }
  });

  test("what npm refuses to resolve is refused here too", async () => {
    const wishes = { eslint: "8.57.1", "eslint-plugin-unicorn": "60.0.0" };
    const target = { platform: "linux/amd64", version: process.versions.node } as const;
    const reader = { readPackument: async (name: string) => await readPackument(name, context) };
    await expect(resolvePackages(wishes, target, reader)).rejects.toMatchObject({
      code: "NPM_DEPENDENCY_UNMET",
    });
    await expect(askNpm(wishes, "x64", ["--package-lock-only"])).rejects.toThrow(/ERESOLVE/);
  });
});

/** Name of the folder and version of all that npm puts into a new folder. */
async function askNpm(
  wishes: Wishes,
  cpu: string,
  flags: readonly string[] = [],
): Promise<readonly string[]> {
  const project = join(folder.path, `${Object.keys(wishes).join("-").replaceAll("/", "-")}-${cpu}`);
  await mkdir(project);
  await writeFile(join(project, "package.json"), JSON.stringify({ dependencies: wishes }));
  const target = ["--os=linux", `--cpu=${cpu}`, "--libc=glibc"];
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  await outputOf("npm", ["install", ...quiet, ...target, ...flags, "--cache", join(folder.path, "npm")], {
    cwd: project,
    timeout: 500_000,
  });
  const file = join(project, "node_modules", ".package-lock.json");
  const { packages } = JSON.parse(await readFile(file, "utf8")) as {
    packages: Record<string, { version: string }>;
  };
  return [
    ...new Set(Object.entries(packages).map(([path, { version }]) => `${nameOf(path)} ${version}`)),
  ].toSorted();
}

/** `node_modules/a/node_modules/@b/c` gives `@b/c`. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

function unused(): never {
  throw new Error("no Go is needed for Node.js");
}
