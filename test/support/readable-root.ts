// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ROOT } from "./programs.ts";

const VARIABLE = "TOOLBOX_READABLE_ROOT";

/** The project's folder by a name that every user may reach. */
export function readableRoot(): string {
  return process.env[VARIABLE] ?? ROOT;
}

/**
 * Before all tests: root's home is often closed to others, and a checkout in it with it. Tests that run programs as
 * another user, which only root's can, find it elsewhere then. What is mounted there cannot be written to, so that
 * whoever clears /tmp after a run that was killed loses nothing.
 */
export default function setup(): (() => void) | undefined {
  if (process.getuid?.() !== 0 || isOpen(ROOT)) return undefined;
  const folder = mkdtempSync("/tmp/toolbox-project-");
  chmodSync(folder, 0o755);
  execFileSync("mount", ["-o", "bind,ro", ROOT, folder]);
  process.env[VARIABLE] = folder;
  return () => {
    execFileSync("umount", ["--lazy", folder]);
    rmdirSync(folder);
  };
}

function isOpen(path: string): boolean {
  const isEnterable = (statSync(path).mode & 0o001) !== 0;
  return isEnterable && (path === dirname(path) || isOpen(dirname(path)));
}
