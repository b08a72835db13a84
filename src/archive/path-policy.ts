// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";

// eslint-disable-next-line no-control-regex
const NOT_ON_WINDOWS = /[\x00-\x1f<>:"|?*\\]|[. ]$/;
const RESERVED = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

/**
 * The one key of all paths that some file system takes for the same: case and Unicode form do not count.
 * Folding up and then down also makes equal what only one of the two does (`ß` and `ss`, `ſ` and `s`).
 */
export function collisionKey(path: string): string {
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/**
 * Refuses names that Windows cannot hold or understands otherwise, on every system alike.
 *
 * @throws {ToolingError} `ARCHIVE_UNSAFE`
 */
export function checkPortablePath(path: string): void {
  for (const part of path.split("/")) {
    if (!NOT_ON_WINDOWS.test(part) && !RESERVED.test(part)) continue;
    throw new ToolingError(
      "ARCHIVE_UNSAFE",
      `archive member "${path}" has a name that not every system can hold`,
      {
        hint: "Do not use this archive; tell whoever made it.",
      },
    );
  }
}
