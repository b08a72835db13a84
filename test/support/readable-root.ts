// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ROOT } from "./programs.ts";

let place: string | undefined;

/**
 * The project's folder by a name that every user may reach: root's home is often closed to others, and a checkout in it
 * with it. It is then mounted elsewhere for as long as this process lives. Only root runs anything as another user.
 */
export function readableRoot(): string {
  if (process.getuid?.() !== 0 || isOpen(ROOT)) return ROOT;
  place ??= mountElsewhere();
  return place;
}

function isOpen(path: string): boolean {
  const isEnterable = (statSync(path).mode & 0o001) !== 0;
  return isEnterable && (path === dirname(path) || isOpen(dirname(path)));
}

function mountElsewhere(): string {
  const folder = mkdtempSync("/tmp/toolbox-project-");
  chmodSync(folder, 0o755);
  execFileSync("mount", ["--bind", ROOT, folder]);
  process.once("exit", () => {
    execFileSync("umount", ["--lazy", folder]);
    rmdirSync(folder);
  });
  return folder;
}
