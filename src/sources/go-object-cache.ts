// SPDX-License-Identifier: Apache-2.0
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../core/error.ts";

/** Optional parts of {@link trimObjects}. */
export interface TrimObjectsOptions {
  /** Bytes that may stay. Absent: 8 GiB. */
  readonly limit?: number;
}

const LIMIT = 8 * 1024 ** 3;
/** How far below the limit to go, so that not every compile has to trim. */
const ROOM = 0.75;

/**
 * Keeps the compiler's object cache from growing without end: the go command itself only drops what nobody used for
 * five days, and one large tool makes gigabytes. The least recently used objects go first; a missing one is compiled
 * again.
 */
export async function trimObjects(folder: string, { limit = LIMIT }: TrimObjectsOptions = {}): Promise<void> {
  const objects: CachedObject[] = [];
  for (const name of await readdir(folder)) {
    if (/^[0-9a-f]{2}$/.test(name)) objects.push(...(await listObjects(join(folder, name))));
  }
  let size = objects.reduce((sum, object) => sum + object.size, 0);
  if (size <= limit) return;
  for (const object of objects.toSorted((a, b) => a.used - b.used)) {
    if (size <= limit * ROOM) return;
    await rm(object.path, { force: true });
    size -= object.size;
  }
}

interface CachedObject {
  readonly path: string;
  readonly size: number;
  /** The go command touches what it uses. Milliseconds. */
  readonly used: number;
}

async function listObjects(folder: string): Promise<readonly CachedObject[]> {
  const names = await readdir(folder);
  const objects = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      try {
        const { size, mtimeMs } = await stat(path);
        return { path, size, used: mtimeMs };
      } catch (error) {
        // Another go command may trim as well.
        if (isSystemError(error, "ENOENT")) return undefined;
        throw error;
      }
    }),
  );
  return objects.filter((object) => object !== undefined);
}
