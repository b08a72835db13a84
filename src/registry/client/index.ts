// SPDX-License-Identifier: Apache-2.0
/**
 * The client of registries: distribution-spec v1.1.1 with the care that real registries need.
 * Knows HTTP as a client, authentication and when to try again. Checks all it is given, reads no environment and no
 * clock of the day but for dates in headers, and sends credentials to nobody but the registry they are for.
 */
export { type Credentials, type CredentialSource } from "./credentials.ts";
export { type DockerCredentialsOptions, openDockerCredentials } from "./docker-credentials.ts";
export { type ListReferrersOptions } from "./list-referrers.ts";
export { type MountBlobOptions } from "./mount-blob.ts";
export {
  openRegistryRepository,
  type RegistryRepository,
  type RegistryRepositoryOptions,
} from "./open-registry-repository.ts";
export { type RetryPolicy } from "./retry.ts";
