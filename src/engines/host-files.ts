// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, stat } from "node:fs/promises";
import { isSystemError } from "../core/error.ts";
import type { HostFiles } from "../session/index.ts";

/** The files of this machine, for planning credentials. What cannot be read counts as absent. */
export const systemFiles: HostFiles = {
  async kindOf(path) {
    const found = await orNothing(stat(path));
    if (found?.isDirectory() === true) return "folder";
    if (found?.isSocket() === true) return "socket";
    return found?.isFile() === true ? "file" : undefined;
  },
  readText: (path) => orNothing(readFile(path, "utf8")),
  list: async (path) => ((await orNothing(readdir(path))) ?? []).toSorted(),
};

async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
