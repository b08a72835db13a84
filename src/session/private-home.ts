// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { SessionMount } from "./session.ts";

/** HOME inside, the same for every user and every image, so that caches and history stay where they were. */
export const HOME_FOLDER = "/home/toolbox";

/** A name for what belongs to one workspace: readable, and different for two folders of the same name. */
export function workspaceKey(workspace: string): string {
  const hash = createHash("sha256").update(workspace).digest("hex").slice(0, 12);
  const name = posix
    .basename(workspace)
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .slice(0, 40);
  return `${name === "" ? "workspace" : name}-${hash}`;
}

/** The private HOME of a workspace: a folder on the host that survives the session. */
export function planPrivateHome(stateDir: string, workspace: string): SessionMount {
  const source = posix.join(stateDir, "homes", workspaceKey(workspace));
  return { source, target: HOME_FOLDER, readOnly: false, create: "folder" };
}
