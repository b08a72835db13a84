// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { hasPrograms, outputOf } from "./programs.ts";

const VERSION = "v1.3.6";

/** Whether {@link prepareOras} can work here. */
export function canBuildOras(): boolean {
  return hasPrograms("go");
}

/** Builds oras from the module proxy of this machine, once, and gives the path of the program. */
export async function prepareOras(): Promise<string> {
  const program = join(homedir(), ".cache", "toolbox-test", "programs", `oras-${VERSION}`, "oras");
  if (existsSync(program)) return program;
  await mkdir(dirname(program), { recursive: true });
  await outputOf("go", ["install", `oras.land/oras/cmd/oras@${VERSION}`], {
    cwd: dirname(program),
    env: { GOBIN: dirname(program), GOFLAGS: "-p=1", CGO_ENABLED: "0" },
    timeout: 900_000,
  });
  return program;
}
