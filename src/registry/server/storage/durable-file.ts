// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { access, link, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder } from "../../../core/atomic-file.ts";
import { isSystemError } from "../../../core/error.ts";
import { makeFolder } from "../../../core/make-folder.ts";

/** Makes a folder and whatever is missing above it, so that it is still there after a power loss. */
export async function makeDurableFolder(folder: string): Promise<void> {
  const first = await makeFolder(folder);
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Replaces the file at `path` as a whole. The temporary file stands apart, so no reader of the folder meets it. */
export async function publishFile(
  path: string,
  content: string | Uint8Array,
  { temporary }: { readonly temporary: string },
): Promise<void> {
  const draft = join(temporary, randomUUID());
  try {
    const file = await open(draft, "wx", 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await makeDurableFolder(dirname(path));
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/**
 * Gives the file at `from` a second name. An existing file at `to` is left as it is.
 *
 * @returns `"missing"` when there is no `from`, `"refused"` where the file system has no (more) hard links
 */
export async function linkFile(from: string, to: string): Promise<"linked" | "missing" | "refused"> {
  await makeDurableFolder(dirname(to));
  try {
    await link(from, to);
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return "linked";
    if (isSystemError(error, "ENOENT")) return "missing";
    if (isSystemError(error, "EMLINK", "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV")) return "refused";
    throw error;
  }
  await syncFolder(dirname(to));
  return "linked";
}

/** @returns `false` when it was not there */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await rm(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/** @returns `undefined` when there is no such file */
export async function readFileIfAny(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Names in a folder, in no order; none when there is no such folder. */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** Whether something stands at `path`. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
