// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";

/** `512m`, `2g`, `1.5GiB`: thousands are 1024 each, as engines count. */
const MEMORY_SIZE = /^(\d{1,12}(?:\.\d{1,3})?)([kKmMgG]?)(?:i?[bB])?$/;

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

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

/** Bytes of a size as people write it. Absent: it is none, or nothing. */
export function parseMemorySize(text: string): number | undefined {
  const [, number, unit = ""] = MEMORY_SIZE.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
  return bytes > 0 ? bytes : undefined;
}

/** The limits of a lock for those of toolbox.yaml. */
export function resolveLimits(wish: LimitsWish | undefined): LockedLimits | undefined {
  if (wish === undefined) return undefined;
  const { memory, cpus, pids } = wish;
  return { memory: memory === undefined ? undefined : parseMemorySize(memory), cpus, pids };
}
