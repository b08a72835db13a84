// SPDX-License-Identifier: Apache-2.0
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { hasPrograms, makeFolder, outputOf } from "./programs.ts";

/** A disk of its own, in memory. */
export interface SmallDisk {
  readonly path: string;
  /** Changes what was given to `mount -o`, as in `size=8m` or `ro`. */
  readonly change: (options: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Whether {@link mountSmallDisk} can work here. */
export function canMountSmallDisk(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0 && hasPrograms("mount", "umount");
}

/** Mounts a disk with these options, as in `size=256k` or `nr_inodes=20`. */
export async function mountSmallDisk(options: string): Promise<SmallDisk> {
  const folder = await makeFolder("disk");
  const path = join(folder.path, "disk");
  await mkdir(path);
  await outputOf("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
  return {
    path,
    change: async (change) => {
      await outputOf("mount", ["-o", `remount,${change}`, path]);
    },
    remove: async () => {
      await outputOf("umount", ["--lazy", path]);
      await folder.remove();
    },
  };
}
