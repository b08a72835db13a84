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
  const found = await searchCommand(session, root, session.argv[0] ?? "");
  return typeof found === "number" ? found : undefined;
}

/** A command of an unpacked image. */
export interface FoundCommand {
  /** Absolute path inside. */
  readonly path: string;
  /** The same on the host. */
  readonly file: string;
}

/** Looks a command up as execvp(3) would inside. Absent: it cannot be started. */
export async function findCommand(
  session: Session,
  root: string,
  name: string,
): Promise<FoundCommand | undefined> {
  const found = await searchCommand(session, root, name);
  return typeof found === "number" ? undefined : found;
}

async function searchCommand(
  session: Session,
  root: string,
  name: string,
): Promise<FoundCommand | 126 | 127> {
  const folders = name.includes("/") ? [""] : (session.env["PATH"] ?? "").split(":");
  let denied = false;
  for (const folder of name === "" ? [] : folders) {
    const path = posix.resolve(session.workdir, folder === "" ? name : posix.join(folder, name));
    const file = await hostPathOf(path, session.mounts, root);
    const answer = await look(file);
    if (answer === "found") return { path, file };
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
