// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { isSystemError, ToolingError } from "../core/error.ts";
import type { ParseWorkspaceOptions } from "./parse-workspace.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Reads and checks toolbox.yaml at the absolute path `file`.
 *
 * @throws {ToolingError} `WORKSPACE_NOT_FOUND`, `WORKSPACE_INVALID`, `TOOL_UNKNOWN`, `CATALOG_INVALID`,
 * `PLATFORM_UNAVAILABLE`, `FILE_UNREADABLE`
 */
export async function readWorkspace(file: string, options: ParseWorkspaceOptions): Promise<Workspace> {
  const content = await readTextFile(file);
  const { parseWorkspace } = await import("./parse-workspace.ts");
  return parseWorkspace(content, file, options);
}

async function readTextFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) {
      throw new ToolingError("WORKSPACE_NOT_FOUND", `"${file}" does not exist`, {
        hint: "Run `toolbox init` to make one.",
        cause: error,
      });
    }
    throw new ToolingError("FILE_UNREADABLE", `"${file}" cannot be read`, {
      hint: "Check its permissions.",
      cause: error,
    });
  }
}

/** Checks a text that is to become toolbox.yaml; see {@link readWorkspace}. */
export async function checkWorkspaceText(
  text: string,
  file: string,
  options: ParseWorkspaceOptions,
): Promise<Workspace> {
  const { parseWorkspace } = await import("./parse-workspace.ts");
  return parseWorkspace(text, file, options);
}
