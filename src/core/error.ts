// SPDX-License-Identifier: Apache-2.0

/**
 * Every code a {@link ToolingError} can carry. Codes are API: scripts match on them under `--json`.
 * Add new ones in alphabetical order; never rename or reuse one.
 */
export type ErrorCode =
  | "ARCHIVE_INVALID"
  | "ARCHIVE_LIMIT_EXCEEDED"
  | "ARCHIVE_UNSAFE"
  | "AUTH_DENIED"
  | "AUTH_REQUIRED"
  | "BINARY_WRONG_LIBC"
  | "BINARY_WRONG_PLATFORM"
  | "BLOB_NOT_FOUND"
  | "BUDGET_EXCEEDED"
  | "BUILD_FAILED"
  | "CATALOG_INVALID"
  | "CHECKSUM_MISMATCH"
  | "COMMAND_NOT_FOUND"
  | "COMMAND_USAGE"
  | "CONFIG_INVALID"
  | "CREDENTIALS_INVALID"
  | "DEBIAN_DEPENDENCY_UNMET"
  | "DEBIAN_INDEX_EXPIRED"
  | "DEBIAN_INDEX_INVALID"
  | "DEBIAN_INDEX_ROLLBACK"
  | "DEBIAN_SIGNATURE_INVALID"
  | "DIGEST_INVALID"
  | "DIGEST_MISMATCH"
  | "DISK_FULL"
  | "DOWNLOAD_FAILED"
  | "DOWNLOAD_TRUNCATED"
  | "ENGINE_FAILED"
  | "ENGINE_NOT_FOUND"
  | "ENGINE_NOT_RUNNING"
  | "ENGINE_UNUSABLE"
  | "FILE_LIMIT_EXCEEDED"
  | "FILE_NOT_FOUND"
  | "FILE_UNREADABLE"
  | "FILE_UNWRITABLE"
  | "IMAGE_NOT_FOUND"
  | "JSON_INVALID"
  | "LAYER_LIMIT_EXCEEDED"
  | "LOCK_FROZEN"
  | "LOCK_INVALID"
  | "LOCK_MISSING"
  | "LOCK_STALE"
  | "MANIFEST_INVALID"
  | "MIRROR_NOT_CONFIGURED"
  | "MOUNT_REFUSED"
  | "NETWORK_UNREACHABLE"
  | "NPM_DEPENDENCY_UNMET"
  | "PATH_CONFLICT"
  | "PLATFORM_UNAVAILABLE"
  | "POLICY_REFUSED"
  | "PYTHON_DEPENDENCY_UNMET"
  | "REFERENCE_INVALID"
  | "REGISTRY_FAILED"
  | "REGISTRY_RATE_LIMITED"
  | "REGISTRY_UNREACHABLE"
  | "SESSION_INVALID"
  | "SIZE_MISMATCH"
  | "STORE_BUSY"
  | "STORE_CORRUPT"
  | "STORE_UNSUPPORTED"
  | "TOOL_UNKNOWN"
  | "TOOLCHAIN_UNAVAILABLE"
  | "VERSION_NOT_FOUND"
  | "WORKSPACE_INVALID"
  | "WORKSPACE_NOT_FOUND";

/** Where in a text file a problem stands. Lines and columns count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Optional parts of a {@link ToolingError}. */
export interface ToolingErrorOptions {
  /** One imperative sentence that says what to do. Absent when there is nothing to do. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** Where bad input stands; printed as `file:line:column`. Absent when it is not about a file. */
  readonly position?: SourcePosition | undefined;
}

/**
 * A failure we foresaw. Anything else that escapes is a bug in this package.
 * The message is lower case, subject first, values in double quotes, and never holds a secret.
 */
export class ToolingError extends Error {
  override readonly name = "ToolingError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly position: SourcePosition | undefined;

  constructor(code: ErrorCode, message: string, options: ToolingErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.position = options.position;
  }
}

/** Whether `error` is a Node.js system error, optionally with one of these codes (`ENOENT`, ...). */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return codes.length === 0 || codes.includes(error.code);
}
