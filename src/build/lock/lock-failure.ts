// SPDX-License-Identifier: Apache-2.0
import { type SourcePosition, ToolingError } from "../../core/error.ts";
import type { Platform } from "../../core/platform.ts";

/** Runs `work`; what it throws is told with the place of the wish that asked for it. */
export async function at<T>(position: SourcePosition, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw placed(error, position);
  }
}

/** The same error with a position, unless it has one or was not foreseen. */
export function placed(error: unknown, position: SourcePosition, subject?: string): unknown {
  if (!(error instanceof ToolingError) || error.position !== undefined) return error;
  const { code, message, hint } = error;
  const named =
    subject === undefined || message.includes(`"${subject}"`) ? message : `tool "${subject}": ${message}`;
  return new ToolingError(code, named, { hint, position, cause: error });
}

/** A wish that cannot be had for one of the workspace's platforms. */
export function withoutPlatform(subject: string, platform: Platform, position: SourcePosition): ToolingError {
  return new ToolingError("PLATFORM_UNAVAILABLE", `${subject} is not available for ${platform}`, {
    hint: `Choose another source or version, or take ${platform} out of \`platforms:\`.`,
    position,
  });
}
