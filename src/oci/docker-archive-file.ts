// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeWriteFailure, syncFolder } from "../core/atomic-file.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { ContentSource } from "./content-store.ts";
import { type DockerArchiveImage, writeDockerArchive } from "./docker-archive.ts";

/**
 * Writes what {@link writeDockerArchive} gives to a file, which is there as a whole or not at all.
 *
 * @throws {ToolingError} `DISK_FULL`, `FILE_UNWRITABLE`, `MANIFEST_INVALID`, and what `from` throws
 */
export async function writeDockerArchiveFile(
  from: ContentSource,
  images: readonly DockerArchiveImage[],
  path: string,
  { signal }: Pick<OperationOptions, "signal"> = {},
): Promise<void> {
  const temporary = join(dirname(path), `.tmp-${process.pid}-${randomUUID()}`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, "wx", 0o644);
    try {
      for await (const chunk of writeDockerArchive(from, images, { signal })) {
        signal?.throwIfAborted();
        await file.writeFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw describeWriteFailure(error, path);
  }
}
