// SPDX-License-Identifier: Apache-2.0
/**
 * What one run of a command is: image, argv, mounts, environment, user, network, as plain data.
 * Knows the rules of privacy (what may be shown, what may be passed, under which name) and is pure: facts of the
 * host come in as arguments. Must not know any engine, any process or the command line.
 */
export type { CredentialGrant } from "./credential-grant.ts";
export { STYLE_NAMES } from "./environment.ts";
export { describeMissingNeeds, describeUnreachable, type ImagePrograms } from "./missing-need.ts";
export type { MountWish } from "./mount.ts";
export type { CredentialHost, HostFiles, VirtualMachine } from "./credential-host.ts";
export { type CertificatePlan, planCertificates } from "./plan-certificates.ts";
export { planCredentials } from "./plan-credentials.ts";
export { planShell } from "./plan-shell.ts";
export {
  findPrivateHome,
  planSession,
  type SessionHost,
  type SessionRequest,
  type SessionSettings,
} from "./plan-session.ts";
export { keepChoices, parseChoices, readChoices } from "./private-choices.ts";
export { HOME_FOLDER, workspaceKey } from "./private-home.ts";
export type {
  Session,
  SessionCopy,
  SessionFile,
  SessionImage,
  SessionLimits,
  SessionMount,
  SessionNetwork,
  SessionUser,
} from "./session.ts";
export { pathBelow, WORK_FOLDER } from "./working-folder.ts";
