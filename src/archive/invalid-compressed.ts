// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";

/** The error of compressed content that breaks its format; `what` completes "xz content ...". */
export function invalidCompressed(format: string, what: string, cause?: unknown): ToolingError {
  return new ToolingError("ARCHIVE_INVALID", `${format} content ${what}`, {
    hint: "Download it again; if it stays the same, tell whoever made it.",
    cause,
  });
}
