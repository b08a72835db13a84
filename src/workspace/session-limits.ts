// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { MEMORY_SIZE, parseMemorySize } from "./memory-size.ts";

/** What a command may use at most, as `session.limits` of toolbox.yaml writes it. */
export const limitsSchema: z.ZodType<LimitsWish> = z.strictObject({
  memory: z
    .string()
    .regex(MEMORY_SIZE, 'must look like "512m" or "2g"')
    .refine((text) => parseMemorySize(text) !== undefined, "must be more than nothing")
    .optional()
    .describe("512m, 2g"),
  cpus: z.number().positive().optional().describe("CPUs, fractions allowed"),
  pids: z.int().positive().optional().describe("Processes and threads"),
});

/** `session.limits` as written. */
export interface LimitsWish {
  readonly memory?: string | undefined;
  readonly cpus?: number | undefined;
  readonly pids?: number | undefined;
}

/** Limits as the lock holds them: numbers only. Absent members are not limited. */
export interface LockedLimits {
  /** Bytes. */
  readonly memory?: number | undefined;
  readonly cpus?: number | undefined;
  readonly pids?: number | undefined;
}

/** The limits of a lock for those of toolbox.yaml. */
export function resolveLimits(wish: LimitsWish | undefined): LockedLimits | undefined {
  if (wish === undefined) return undefined;
  const { memory, cpus, pids } = wish;
  return { memory: memory === undefined ? undefined : parseMemorySize(memory), cpus, pids };
}
