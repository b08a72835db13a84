// SPDX-License-Identifier: Apache-2.0
/**
 * Registries over HTTP: a client that survives bad ones, and the embedded server.
 * Knows distribution-spec v1.1.1. Reads no environment: credentials, proxies and paths arrive as arguments.
 */
export {
  type AccessEntry,
  collectRegistryGarbage,
  type CollectRegistryGarbageOptions,
  type GarbageReport,
  isRegistryFolder,
  type RegistryFolderReport,
  type RegistryServer,
  startRegistryServer,
  type StartRegistryServerOptions,
  verifyRegistryFolder,
  type VerifyRegistryFolderOptions,
} from "./server/index.ts";
export {
  type Credentials,
  type CredentialSource,
  type DockerCredentialsOptions,
  type ListReferrersOptions,
  type MountBlobOptions,
  openDockerCredentials,
  openRegistryRepository,
  type RegistryRepository,
  type RegistryRepositoryOptions,
  type RetryPolicy,
} from "./client/index.ts";
