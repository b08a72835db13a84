// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, type Stats, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { refreshCopy, removeOtherCopies } from "./private-copy.ts";
import { pathBelow, type Session, type SessionFile, type SessionMount } from "../session/index.ts";

/**
 * Makes on the host what a session needs before any engine can run it: private folders, generated files (now mounts),
 * and the places where one mount lies inside another, so that no daemon makes them as root.
 *
 * @throws {ToolingError} `FILE_NOT_FOUND` for a missing source, `MOUNT_REFUSED`, `FILE_UNWRITABLE`, `DISK_FULL`
 */
export async function prepareSession(session: Session, stateDir: string): Promise<Session> {
  const files = await Promise.all(session.files.map((file) => keepFile(file, stateDir)));
  const mounts = [...files, ...session.mounts].toSorted((a, b) => (a.target < b.target ? -1 : 1));
  const kinds = new Map<SessionMount, "folder" | "file">();
  for (const mount of mounts) kinds.set(mount, kindOf(mount));
  for (const mount of mounts) {
    const parent = mounts.findLast(
      (other) => other !== mount && pathBelow(other.target, mount.target) !== undefined,
    );
    if (parent !== undefined) makeMountPoint(parent, mount, kinds.get(mount) ?? "folder");
  }
  await removeOtherCopies(session.copies, mounts);
  for (const copy of session.copies) await refreshCopy(copy, mounts);
  return { ...session, mounts, files: [], copies: [] };
}

/** Generated files are named by their content, so that the next session finds them ready. */
async function keepFile({ target, content }: SessionFile, stateDir: string): Promise<SessionMount> {
  const name = createHash("sha256").update(content).digest("hex").slice(0, 32);
  const source = join(stateDir, "files", name);
  try {
    lstatSync(source);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
    await writeFileAtomically(source, content, { mode: 0o644 });
  }
  return { source, target, readOnly: true };
}

function kindOf({ source, target, create, remote }: SessionMount): "folder" | "file" {
  // All that virtual machines offer are sockets.
  if (remote === true) return "file";
  if (create === "folder") mkdirSync(source, { recursive: true, mode: 0o700 });
  try {
    return statSync(source).isDirectory() ? "folder" : "file";
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new ToolingError("FILE_NOT_FOUND", `"${source}" cannot be mounted at "${target}" (${error.code})`, {
      hint: "Make it, or take it out of the session's mounts.",
      cause: error,
    });
  }
}

/** Walks below the parent's source without following a link, which could lead out of it. */
function makeMountPoint(parent: SessionMount, mount: SessionMount, kind: "folder" | "file"): void {
  const parts = (pathBelow(parent.target, mount.target) ?? "").split("/").filter((part) => part !== "");
  let path = parent.source;
  for (const [index, part] of parts.entries()) {
    path = join(path, part);
    const isLast = index === parts.length - 1;
    const found = lstatOrNothing(path);
    if (found === undefined) {
      if (parent.readOnly) throw refused(mount, `"${path}" does not exist and its folder is read-only`);
      if (isLast && kind === "file") writeFileSync(path, "", { mode: 0o600 });
      else mkdirSync(path, { mode: 0o700 });
    } else if (found.isSymbolicLink()) {
      throw refused(mount, `"${path}" is a link`);
    } else if (found.isDirectory() !== (!isLast || kind === "folder")) {
      throw refused(mount, `"${path}" is not a ${isLast ? kind : "folder"}`);
    }
  }
}

function lstatOrNothing(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function refused({ source, target }: SessionMount, why: string): ToolingError {
  return new ToolingError("MOUNT_REFUSED", `"${source}" cannot be mounted at "${target}": ${why}`, {
    hint: `Choose another target, or see to "${dirname(target)}" first.`,
  });
}
