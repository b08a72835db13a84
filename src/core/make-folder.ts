// SPDX-License-Identifier: Apache-2.0
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "./error.ts";

/**
 * Makes a folder and all above it that are missing. Fails with the true reason: `mkdir` of Node.js 20, when it is
 * told to make parents too, says of a full or read-only disk that there is no such file.
 *
 * @param mode Absent: what the umask leaves of `0o777`.
 * @returns the uppermost folder that was made; `undefined` when all were there
 */
export async function makeFolder(path: string, mode?: number): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true, mode });
  } catch (error) {
    const parent = dirname(path);
    if (!isSystemError(error, "ENOENT") || parent === path) throw error;
    const first = await makeFolder(parent, mode);
    const made = await makeOne(path, mode);
    return first ?? made;
  }
}

async function makeOne(path: string, mode: number | undefined): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    return path;
  } catch (error) {
    // Somebody else was faster.
    if (isSystemError(error, "EEXIST")) return undefined;
    throw error;
  }
}
