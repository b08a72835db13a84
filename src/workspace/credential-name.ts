// SPDX-License-Identifier: Apache-2.0

/** The credentials that a session can name. Nothing is passed that it does not name. */
export const CREDENTIAL_NAMES = [
  "aws",
  "azure",
  "docker",
  "gcp",
  "git",
  "gpg",
  "kubeconfig",
  "netrc",
  "openstack",
  "ssh-agent",
] as const;

/** One of {@link CREDENTIAL_NAMES}. */
export type CredentialName = (typeof CREDENTIAL_NAMES)[number];
