// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../../core/operation.ts";
import { holdRegistryFolder } from "./storage/folder-lock.ts";
import { collectGarbage, type GarbageReport } from "./storage/garbage.ts";
import { openRegistryStorage } from "./storage/registry-storage.ts";

/** Optional parts of {@link collectRegistryGarbage}. */
export interface CollectRegistryGarbageOptions extends OperationOptions {
  /** Milliseconds that unreferenced content is kept after its last use. Absent: one day. */
  readonly grace?: number;
  /** Only counts. */
  readonly dryRun?: boolean;
  readonly now?: () => Date;
}

/**
 * Collects the garbage of a registry that nobody serves now; a running server does it by itself.
 *
 * @throws {ToolingError} `STORE_BUSY` when a server runs, `STORE_UNSUPPORTED`
 */
export async function collectRegistryGarbage(
  folder: string,
  { grace = 86_400_000, dryRun = false, now = () => new Date(), signal }: CollectRegistryGarbageOptions = {},
): Promise<GarbageReport> {
  const release = await holdRegistryFolder(folder);
  try {
    const limits = { maxUploads: 0, uploadTimeout: 0, maxBlobSize: 0 };
    const storage = await openRegistryStorage(folder, { limits, now });
    return await collectGarbage(storage, { grace, dryRun, signal });
  } finally {
    await release();
  }
}
