// SPDX-License-Identifier: Apache-2.0
/**
 * From wishes to answers: the base, each tool by its sources, the used image; and which answers are behind.
 * Knows the order in which sources are asked and what stays put. Knows nothing of files, networks or the command
 * line: sources, resolvers and the clock arrive as arguments.
 */
export { findNewerVersions } from "./find-newer.ts";
export { type LockContext, lockWorkspace, type ResolvedImage } from "./lock-workspace.ts";
export { createBaseOpener } from "./open-base.ts";
