// SPDX-License-Identifier: Apache-2.0
import type { Lockfile } from "./lockfile.ts";
import { lockfileSchema } from "./lockfile-schema.ts";
import { invalidLock, parseLockJson } from "./read-lockfile.ts";

/**
 * Checks the text of toolbox.lock completely. `file` is only used in messages.
 *
 * @throws {ToolingError} `LOCK_INVALID`
 */
export function parseLockfile(content: string | Uint8Array, file: string): Lockfile {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const parsed = lockfileSchema.safeParse(parseLockJson(bytes, file));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidLock(file, `is wrong at "${issue?.path.join(".") ?? ""}": ${issue?.message ?? "unknown"}`);
  }
  const lock: Lockfile = parsed.data;
  for (const [image, { tools }] of Object.entries(lock.images)) {
    const missing = tools.find((tool) => !Object.hasOwn(lock.tools, tool));
    if (missing !== undefined)
      throw invalidLock(file, `has image "${image}" with tool "${missing}", which is not locked`);
  }
  return lock;
}
