// SPDX-License-Identifier: Apache-2.0
import { homedir } from "node:os";
import { join } from "node:path";
import { loadGoToolchains } from "../../src/catalog/index.ts";
import { createMirrors, readGoClient, readGoDefaults, type SourceContext } from "../../src/sources/index.ts";
import { chooseToolchain, ensureToolchain } from "../../src/sources/go-toolchain.ts";
import { listMachineMirrors, openDebian } from "./debian-machine.ts";
import { hasPrograms, ROOT } from "./programs.ts";

/** What a source needs to compile with this machine's settings, with everything in `cacheDir`. */
export async function openGoContext(cacheDir: string): Promise<SourceContext> {
  const debian = openDebian(cacheDir);
  return {
    ...debian,
    mirrors: createMirrors({
      env: process.env,
      clients: {
        debian: async () => listMachineMirrors(),
        go: async () => await readGoClient(process.env, { cwd: "/" }),
        goDefaults: async () => await readGoDefaults(debian),
      },
    }),
    platforms: ["linux/amd64", "linux/arm64"],
    host: { os: "linux", arch: process.arch === "arm64" ? "arm64" : "amd64" },
    env: process.env,
    toolchains: await loadGoToolchains(join(ROOT, "catalog")),
    workspaceDir: "/",
  };
}

/** The go command of this machine, else that of the toolchain that compiles our tools. */
export async function prepareGo(): Promise<string> {
  if (hasPrograms("go")) return "go";
  const context = await openGoContext(join(homedir(), ".cache", "toolbox"));
  return join(await ensureToolchain(chooseToolchain(context.toolchains, undefined), context), "bin", "go");
}
