// SPDX-License-Identifier: Apache-2.0
import { access, constants, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { isSystemError } from "../core/error.ts";
import { pathBelow, type Session, type SessionMount } from "../session/index.ts";
import { resolveInside } from "./rootfs-path.ts";

/**
 * Looks a command up as execvp(3) would inside a sandbox, for runners that cannot tell "not found" from their own failures.
 *
 * @returns The exit code that a shell gives (126 not executable, 127 not found). Absent: it can be started.
 */
export async function refuseCommand(session: Session, root: string): Promise<126 | 127 | undefined> {
  const name = session.argv[0] ?? "";
  const folders = name.includes("/") ? [""] : (session.env["PATH"] ?? "").split(":");
  let denied = false;
  for (const folder of name === "" ? [] : folders) {
    const path = posix.resolve(session.workdir, folder === "" ? name : posix.join(folder, name));
    const answer = await look(await hostPathOf(path, session.mounts, root));
    if (answer === "found") return undefined;
    if (answer === "denied") denied = true;
  }
  return denied ? 126 : 127;
}

async function hostPathOf(path: string, mounts: readonly SessionMount[], root: string): Promise<string> {
  const mount = mounts.findLast(({ target }) => pathBelow(target, path) !== undefined);
  if (mount !== undefined) return join(mount.source, pathBelow(mount.target, path) ?? "");
  return join(root, await resolveInside(root, path));
}

async function look(file: string): Promise<"found" | "denied" | "missing"> {
  try {
    if (!(await stat(file)).isFile()) return "denied";
    await access(file, constants.X_OK);
    return "found";
  } catch (error) {
    if (isSystemError(error, "EACCES", "EPERM")) return "denied";
    if (isSystemError(error)) return "missing";
    throw error;
  }
}
