// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";

/** `compression` of toolbox.yaml and toolbox.lock. */
export const compressionSchema = z.union([
  z.enum(["gzip", "zstd"]),
  z.strictObject({ algorithm: z.literal("gzip"), level: z.int().min(1).max(12) }),
  z.strictObject({ algorithm: z.literal("zstd"), level: z.int().min(1).max(19) }),
]);
