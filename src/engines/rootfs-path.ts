// SPDX-License-Identifier: Apache-2.0
import { lstat, mkdir, readlink, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { isSystemError, ToolingError } from "../core/error.ts";

/** As many links as Linux follows in one path. */
const LINK_LIMIT = 40;

/**
 * Where an absolute path inside an unpacked image really lies, links followed as they would be inside: a link to `/x`
 * means the image's `/x`, and nothing leads out. What does not exist keeps its name.
 *
 * @returns An absolute path inside.
 * @throws {ToolingError} `MOUNT_REFUSED` for a loop of links
 */
export async function resolveInside(root: string, path: string): Promise<string> {
  let pending = partsOf(path);
  let resolved = "/";
  let links = 0;
  while (pending.length > 0) {
    const [part = "", ...rest] = pending;
    const next = posix.join(resolved, part);
    const target = part === ".." ? undefined : await linkTarget(join(root, next));
    if (target === undefined) {
      resolved = next;
      pending = rest;
      continue;
    }
    links += 1;
    if (links > LINK_LIMIT) throw loop(path);
    if (target.startsWith("/")) resolved = "/";
    pending = [...partsOf(target), ...rest];
  }
  return resolved;
}

/** Makes `path` (resolved, absolute inside) a place to mount on, if it is not there yet. */
export async function makeMountPointInside(
  root: string,
  path: string,
  kind: "folder" | "file",
): Promise<void> {
  const full = join(root, path);
  try {
    await lstat(full);
  } catch (error) {
    if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw error;
    await (kind === "folder" ? makeFolder(full, path) : makeFile(full, path));
  }
}

async function makeFolder(full: string, path: string): Promise<void> {
  try {
    await mkdir(full, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw notMade(error, path);
  }
}

async function makeFile(full: string, path: string): Promise<void> {
  await makeFolder(dirname(full), path);
  try {
    await writeFile(full, "", { flag: "a", mode: 0o644 });
  } catch (error) {
    throw notMade(error, path);
  }
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isSystemError(error, "EINVAL", "ENOENT", "ENOTDIR", "UNKNOWN")) return undefined;
    throw error;
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function loop(path: string): ToolingError {
  return new ToolingError("MOUNT_REFUSED", `"${path}" leads through too many links inside the image`, {
    hint: "Choose another target.",
  });
}

function notMade(error: unknown, path: string): unknown {
  if (!isSystemError(error)) return error;
  return new ToolingError("MOUNT_REFUSED", `"${path}" cannot be made inside the image (${error.code})`, {
    hint: "Choose a target whose parent is a folder.",
    cause: error,
  });
}
