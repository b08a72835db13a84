// SPDX-License-Identifier: Apache-2.0
import { homedir, userInfo } from "node:os";
import { isSystemError } from "../core/error.ts";

/** Who started this program. */
export interface Caller {
  /** 0 where the system numbers no users. */
  readonly uid: number;
  readonly gid: number;
  /** Absent: a number that no account has, as in many CI jobs. */
  readonly name?: string | undefined;
}

/** The user that this process runs as. */
export function describeCaller(): Caller {
  return {
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    name: orNothing(() => userInfo().username),
  };
}

/** Where the caller is at home when no variable says it. Absolute; `/` for a number that no account has. */
export function callerHome(): string {
  return orNothing(homedir) ?? "/";
}

/** The system answers with an error when it has no account for a number. */
function orNothing(look: () => string): string | undefined {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
