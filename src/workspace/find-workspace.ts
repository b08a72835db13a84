// SPDX-License-Identifier: Apache-2.0
import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ToolingError } from "../core/error.ts";

/** Name of the file that people write. */
export const WORKSPACE_FILE = "toolbox.yaml";
/** Name of the file that `toolbox lock` writes. */
export const LOCK_FILE = "toolbox.lock";

/** Where a workspace is on this machine. */
export interface WorkspacePlace {
  /** Absolute path of the folder. */
  readonly folder: string;
  /** Absolute path of toolbox.yaml, which may be missing where only a lock is present. */
  readonly file: string;
  /** Absolute path of toolbox.lock, which may be missing. */
  readonly lockFile: string;
}

/** The nearest folder, from `start` upwards, that holds toolbox.yaml or toolbox.lock. Absent: none. */
export async function findWorkspace(start: string): Promise<WorkspacePlace | undefined> {
  let folder = resolve(start);
  for (;;) {
    const place = workspaceAt(folder);
    if (isFile(place.file) || isFile(place.lockFile)) return place;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

/**
 * Like {@link findWorkspace}, for commands that cannot do without one.
 *
 * @throws {ToolingError} `WORKSPACE_NOT_FOUND`
 */
export async function requireWorkspace(start: string): Promise<WorkspacePlace> {
  const place = await findWorkspace(start);
  if (place !== undefined) return place;
  throw new ToolingError(
    "WORKSPACE_NOT_FOUND",
    `"${resolve(start)}" and the folders above it hold no ${WORKSPACE_FILE}`,
    {
      hint: "Run `toolbox init` to make one, or name the folder with -C.",
    },
  );
}

/** The paths of a workspace in `folder`, whether or not the files exist. */
export function workspaceAt(folder: string): WorkspacePlace {
  return { folder, file: join(folder, WORKSPACE_FILE), lockFile: join(folder, LOCK_FILE) };
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}
