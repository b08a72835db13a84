// SPDX-License-Identifier: Apache-2.0
import { withFileLock } from "../../../core/file-lock.ts";
import { makeDeferred } from "../deferred.ts";
import { makeDurableFolder } from "./durable-file.ts";
import { StorageFolder } from "./storage-folder.ts";

/** How long another process may take to let go, in milliseconds: one that is being stopped needs a moment. */
const PATIENCE = 3000;

/**
 * Takes the folder of a registry for this process alone, until the returned function is called.
 *
 * @throws {ToolingError} `STORE_BUSY` when another process serves it
 */
export async function holdRegistryFolder(root: string): Promise<() => Promise<void>> {
  await makeDurableFolder(root);
  const kept = makeDeferred();
  return new Promise((resolve, reject) => {
    const held = withFileLock(new StorageFolder(root).lockFile, { timeout: PATIENCE }, async () => {
      resolve(async () => {
        kept.resolve();
        await held;
      });
      await kept.promise;
    });
    held.catch(reject);
  });
}
