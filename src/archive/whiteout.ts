// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { parentPath } from "./entry-path.ts";
import type { TarMember } from "./read-tar.ts";
import type { TreeWriter } from "./tree-writer.ts";

const PREFIX = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** Whether a member says what a layer hides (image-spec v1.1.1, layer.md#whiteouts). */
export function isWhiteout(path: string): boolean {
  return nameOf(path).startsWith(PREFIX);
}

/**
 * Removes what the member hides of the layers below; what this layer itself has written stays.
 *
 * @throws {ToolingError} `ARCHIVE_UNSAFE`
 */
export async function applyWhiteout({ path }: TarMember, writer: TreeWriter): Promise<void> {
  const name = nameOf(path);
  const parent = parentPath(path);
  if (name === OPAQUE) return await writer.removeBelow(parent);
  // Other doubled prefixes are notes that aufs made for itself.
  if (name.startsWith(PREFIX + PREFIX)) return;
  const hidden = name.slice(PREFIX.length);
  if (hidden === "" || hidden === "." || hidden === "..") {
    throw new ToolingError("ARCHIVE_UNSAFE", `layer hides "${path}", which names nothing`, {
      hint: "Do not use this image; tell whoever made it.",
    });
  }
  await writer.removeLower(parent === "" ? hidden : `${parent}/${hidden}`);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
