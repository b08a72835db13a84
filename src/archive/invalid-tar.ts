// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";

/** The error of a tar archive that breaks the format; `what` completes "tar archive ...". */
export function invalidTar(what: string): ToolingError {
  return new ToolingError("ARCHIVE_INVALID", `tar archive ${what}`, {
    hint: "Download the archive again; if it stays the same, tell whoever made it.",
  });
}
