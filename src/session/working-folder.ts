// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { ToolingError } from "../core/error.ts";

/** Where the workspace stands inside. */
export const WORK_FOLDER = "/work";

/** A workspace mount and the folder below it where the command starts. */
export interface WorkingFolder {
  /** Host path of the folder that is shown at {@link WORK_FOLDER}. */
  readonly source: string;
  /** Absolute path inside. */
  readonly workdir: string;
}

/**
 * Shows `workspace` at `/work` and starts in the same sub-folder as the caller.
 * When `cwd` lies outside the workspace, `cwd` itself is what is shown. All paths are absolute with links resolved.
 *
 * @throws {ToolingError} `MOUNT_REFUSED` for `/`, for the home folder and for a folder that holds the home folder.
 */
export function planWorkingFolder(cwd: string, workspace: string | undefined, home: string): WorkingFolder {
  const inside = workspace === undefined ? undefined : pathBelow(workspace, cwd);
  const source = workspace === undefined || inside === undefined ? cwd : workspace;
  refuseBroadFolder(source, home);
  return { source, workdir: posix.join(WORK_FOLDER, inside ?? "") };
}

/**
 * Refuses a host folder that would show all that its owner has.
 *
 * @throws {ToolingError} `MOUNT_REFUSED`
 */
export function refuseBroadFolder(folder: string, home: string): void {
  const isRoot = posix.dirname(folder) === folder;
  const holdsHome = posix.dirname(home) !== home && pathBelow(folder, home) !== undefined;
  if (!isRoot && !holdsHome) return;
  const what = isRoot
    ? "the whole file system"
    : folder === home
      ? "the whole home folder"
      : "the home folder";
  throw new ToolingError(
    "MOUNT_REFUSED",
    `"${folder}" is not mounted: it would show ${what} to every command`,
    {
      hint: "Run the command in the folder of one project, or mount just the folder that the command needs.",
    },
  );
}

/** The path of `path` relative to `folder`: empty when equal, absent when it lies elsewhere. */
export function pathBelow(folder: string, path: string): string | undefined {
  const relative = posix.relative(folder, path);
  return relative === ".." || relative.startsWith("../") ? undefined : relative;
}
