// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { readTar } from "../archive/index.ts";
import { describeWriteFailure } from "../core/atomic-file.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import { readFileContent, writeFileContent } from "../core/file-content.ts";
import type { OperationOptions } from "../core/operation.ts";
import { type ByteDifference, findFirstDifference } from "./first-difference.ts";

/**
 * Where the contents of some files of two tars part. The files may stand in any order: those of the first tar are kept
 * on disk meanwhile. A path that a tar has twice is left out, because it is not known which was meant.
 *
 * @param folder Must exist.
 * @throws {ToolingError} `DISK_FULL`, `FILE_UNWRITABLE`, and as readTar
 */
export async function findSpooledDifferences(
  paths: ReadonlySet<string>,
  [openFrom, openTo]: readonly [() => LentBytes, () => LentBytes],
  folder: string,
  { signal }: Pick<OperationOptions, "signal">,
): Promise<ReadonlyMap<string, ByteDifference>> {
  const spool = await mkdtemp(join(folder, "diff-"));
  try {
    const kept = new Map<string, string>();
    const doubled = new Set<string>();
    for await (const { path, type, content } of readTar(openFrom(), { layer: true, signal })) {
      if (type !== "file" || !paths.has(path)) continue;
      if (kept.has(path)) doubled.add(path);
      const file = join(spool, String(kept.size));
      await writeFileContent(file, content, { signal });
      kept.set(path, file);
    }
    const found = new Map<string, ByteDifference>();
    const seen = new Set<string>();
    for await (const { path, type, content } of readTar(openTo(), { layer: true, signal })) {
      const file = type === "file" ? kept.get(path) : undefined;
      if (file === undefined) continue;
      if (seen.has(path)) doubled.add(path);
      seen.add(path);
      const difference = await findFirstDifference(readFileContent(file), content);
      if (difference !== undefined) found.set(path, difference);
    }
    for (const path of doubled) found.delete(path);
    return found;
  } catch (error) {
    throw describeWriteFailure(error, spool);
  } finally {
    await rm(spool, { recursive: true, force: true, maxRetries: 3 });
  }
}
