// SPDX-License-Identifier: Apache-2.0
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { hasPrograms, makeFolder, runProgram } from "./programs.ts";

/** podman with a storage of its own. */
export interface OwnPodman {
  /** Put these before the command: `podman ...globals run ...runFlags IMAGE`. */
  readonly globals: readonly string[];
  readonly runFlags: readonly string[];
  readonly remove: () => Promise<void>;
}

/** Whether {@link preparePodman} can work here. */
export function canRunPodman(): boolean {
  return process.getuid?.() === 0 && hasPrograms("podman", "runc");
}

/** Gives podman a storage below a temporary folder, and what it needs in a virtual machine without all privileges. */
export async function preparePodman(): Promise<OwnPodman> {
  const folder = await makeFolder("podman");
  const root = join(folder.path, "root");
  await mkdir(root);
  const globals = [
    "--root",
    root,
    "--runroot",
    join(folder.path, "run"),
    "--runtime",
    "runc",
    "--cgroup-manager=cgroupfs",
  ];
  return {
    globals,
    runFlags: ["--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096", "--network", "host"],
    remove: async () => {
      await runProgram("podman", [...globals, "system", "reset", "--force"]);
      await folder.remove();
    },
  };
}
