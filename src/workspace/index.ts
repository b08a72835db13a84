// SPDX-License-Identifier: Apache-2.0
/**
 * The user's two files: toolbox.yaml (wishes) and toolbox.lock (answers): schema, read, check, edit, write, diff.
 * Knows the catalog's words for tools; knows nothing of networks, images, sessions or the command line.
 * Importing it is cheap: the YAML and schema libraries load with the first file that needs them.
 */
export { type Compression, type CompressionChoice, resolveCompression } from "./compression.ts";
export { CREDENTIAL_NAMES, type CredentialName } from "./credential-name.ts";
export { diffLockfiles, type LockDiff, type ToolChange } from "./diff-lockfiles.ts";
export {
  addTool,
  type AddToolOptions,
  newWorkspaceText,
  type NewWorkspaceOptions,
  setUse,
} from "./edit-workspace.ts";
export {
  findWorkspace,
  LOCK_FILE,
  requireWorkspace,
  WORKSPACE_FILE,
  workspaceAt,
  type WorkspacePlace,
} from "./find-workspace.ts";
export { localImageName } from "./local-image.ts";
export {
  LOCK_VERSION,
  type LockedBase,
  type LockedFlavour,
  type LockedMount,
  type LockedSession,
  type LockedUse,
  type LockedWish,
  type Lockfile,
} from "./lockfile.ts";
export {
  changesLock,
  digestWishes,
  lockedFlavours,
  lockedWish,
  type LockPlan,
  type LockReason,
  planLock,
  type PlanLockOptions,
  type PlannedTool,
} from "./plan-lock.ts";
export {
  formatLockfile,
  readLockfile,
  readLockfileIfPresent,
  readRunLock,
  type RunLock,
  writeLockfile,
} from "./read-lockfile.ts";
export type { ParseWorkspaceOptions } from "./parse-workspace.ts";
export { checkWorkspaceText, readWorkspace } from "./read-workspace.ts";
export { parseMemorySize } from "./memory-size.ts";
export type { MirrorWishes } from "./workspace-schema.ts";
export type { BaseWish, ImageWish, PullBudget, ToolWish, Workspace } from "./workspace.ts";
