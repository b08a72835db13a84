// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import type { ToolCatalog, ToolDefinition } from "../catalog/index.ts";
import {
  type Lockfile,
  readLockfileIfPresent,
  readWorkspace,
  requireWorkspace,
  type Workspace,
  type WorkspacePlace,
} from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";

/** The workspace that a command works on. */
export interface WorkspaceFiles {
  readonly place: WorkspacePlace;
  readonly workspace: Workspace;
  /** Absent: there is none yet. */
  readonly lock: Lockfile | undefined;
}

/**
 * Finds and reads toolbox.yaml and toolbox.lock.
 *
 * @throws {ToolingError} `WORKSPACE_NOT_FOUND`, `WORKSPACE_INVALID`, `TOOL_UNKNOWN`, `LOCK_INVALID`, ...
 */
export async function readWorkspaceFiles({ start }: Pick<CommandContext, "start">): Promise<WorkspaceFiles> {
  const place = await requireWorkspace(start);
  const workspace = await readWorkspace(place.file, { catalog: await openShippedCatalog() });
  return { place, workspace, lock: await readLockfileIfPresent(place.lockFile) };
}

/** The folder of the tool definitions that come with this package. */
export const CATALOG_FOLDER: string = fileURLToPath(new URL("../../catalog", import.meta.url));

/** The JSON Schema of toolbox.yaml that comes with this package. */
export const SCHEMA_FILE: string = fileURLToPath(
  new URL("../../schema/toolbox.schema.json", import.meta.url),
);

/** The tool definitions that come with this package, by name. */
export async function loadShippedCatalog(): Promise<ReadonlyMap<string, ToolDefinition>> {
  const { loadCatalog } = await import("../catalog/index.ts");
  return await loadCatalog(CATALOG_FOLDER);
}

/** The same, each read when it is first asked for. */
export async function openShippedCatalog(): Promise<ToolCatalog> {
  const { openCatalog } = await import("../catalog/index.ts");
  return await openCatalog(CATALOG_FOLDER);
}
