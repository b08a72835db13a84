// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { type LayoutStore, openLayoutStore } from "../oci/index.ts";
import type { CommandContext } from "./command.ts";

/** The local store, to be asked. Absent: there is none, and it is not made for a question. */
export async function openStoreIfThere({
  paths,
}: Pick<CommandContext, "paths">): Promise<LayoutStore | undefined> {
  try {
    return await openLayoutStore(paths.store, { create: false });
  } catch (error) {
    if (error instanceof ToolingError && error.code === "FILE_NOT_FOUND") return undefined;
    throw error;
  }
}
