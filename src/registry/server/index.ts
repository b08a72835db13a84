// SPDX-License-Identifier: Apache-2.0
/**
 * The embedded registry: distribution-spec v1.1.1 and the additions of its development version, over one folder.
 * Knows HTTP as a server, storage and who may write. Knows nothing of clients or the command line, and prints nothing.
 */
export { type AccessEntry } from "./access-log.ts";
export { collectRegistryGarbage, type CollectRegistryGarbageOptions } from "./collect-registry-garbage.ts";
export {
  type RegistryServer,
  startRegistryServer,
  type StartRegistryServerOptions,
} from "./start-registry-server.ts";
export { type GarbageReport } from "./storage/garbage.ts";
export {
  isRegistryFolder,
  type RegistryFolderReport,
  verifyRegistryFolder,
  type VerifyRegistryFolderOptions,
} from "./verify-registry.ts";
