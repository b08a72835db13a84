// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";

/** What a reader of foreign archives accepts. Absent members: see `READ_LIMITS`. */
export interface ReadLimits {
  /** Bytes of all content together, and of what a decompressor may give. */
  readonly size?: number;
  /** Members of one archive. */
  readonly entries?: number;
  /** UTF-8 bytes of one path or link target. */
  readonly pathLength?: number;
  /** Decompressed bytes for each compressed byte, looked at beyond the first 64 MiB. */
  readonly ratio?: number;
}

/** The limits that hold where the caller names none. */
export const READ_LIMITS: Required<ReadLimits> = {
  size: 64 * 1024 ** 3,
  entries: 2_000_000,
  pathLength: 4096,
  ratio: 250,
};

/** The error for content that passes one of the limits; `what` is a whole clause. */
export function limitExceeded(what: string): ToolingError {
  return new ToolingError("ARCHIVE_LIMIT_EXCEEDED", what, {
    hint: "Do not use this archive unless you know why it is so large.",
  });
}
