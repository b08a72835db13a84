// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from "node:fs/promises";

/** Numbers of the processes of this machine, inside of sandboxes as well, whose arguments hold `text`. */
export async function findProcesses(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // It may have ended meanwhile.
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (line.includes(text)) found.push(Number(name));
  }
  return found;
}
