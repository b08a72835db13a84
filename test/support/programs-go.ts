// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { prepareGo } from "./go-machine.ts";
import { hasPrograms, outputOf } from "./programs.ts";

/** Programs that tests have built for themselves: name, package, version. */
const PROGRAMS = {
  oras: ["oras.land/oras/cmd/oras", "v1.3.6"],
  crane: ["github.com/google/go-containerregistry/cmd/crane", "v0.22.1"],
  syft: ["github.com/anchore/syft/cmd/syft", "v1.57.1"],
  regctl: ["github.com/regclient/regclient/cmd/regctl", "v0.11.7"],
} as const;

/** Whether {@link prepareGoProgram} can work here. Where no test may be missing, it brings a toolchain along. */
export function canBuildGoPrograms(): boolean {
  return hasPrograms("go") || process.env["CI"] === "true";
}

/** Builds a program from the module proxy of this machine, once, and gives its path. */
export async function prepareGoProgram(name: keyof typeof PROGRAMS): Promise<string> {
  const [source, version] = PROGRAMS[name];
  const program = join(homedir(), ".cache", "toolbox-test", "programs", `${name}-${version}`, name);
  if (existsSync(program)) return program;
  await mkdir(dirname(program), { recursive: true });
  // Two files of tests may build the same program at once, and neither may see half of one.
  const folder = await mkdtemp(`${dirname(program)}-`);
  try {
    await outputOf("nice", ["-n", "10", await prepareGo(), "install", `${source}@${version}`], {
      cwd: folder,
      env: { GOBIN: folder, GOFLAGS: "-p=1", CGO_ENABLED: "0" },
      timeout: 3_600_000,
    });
    await rename(join(folder, name), program);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return program;
}
