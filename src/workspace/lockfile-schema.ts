// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { lockedPackageSchema, lockedToolSchema } from "../catalog/index.ts";
import { compressionSchema } from "./compression-schema.ts";
import { LOCK_VERSION } from "./lockfile.ts";

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const digest = z.string().regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/);
const platform = z.enum(["linux/amd64", "linux/arm64"]);

const base = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("debian"),
    suite: z.string().min(1),
    packages: z.array(z.string()),
    platforms: z.partialRecord(platform, z.array(lockedPackageSchema)),
  }),
  z.strictObject({
    kind: z.literal("image"),
    reference: z.string().min(1),
    digest,
    platforms: z.partialRecord(platform, digest),
  }),
]);

const session = z.strictObject({
  image: z.string().optional(),
  mounts: z.array(
    z.strictObject({ source: z.string().min(1), target: z.string().startsWith("/"), readOnly: z.boolean() }),
  ),
  env: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*(=[^\0]*)?$/)),
  credentials: z.array(z.string().min(1)),
  context: z.string().min(1).optional(),
  namespace: z.string().min(1).optional(),
  network: z.enum(["host", "default", "none"]).optional(),
  limits: z
    .strictObject({
      memory: z.int().positive().optional(),
      cpus: z.number().positive().optional(),
      pids: z.int().positive().optional(),
    })
    .optional(),
});

/** toolbox.lock, format 1. */
export const lockfileSchema = z.strictObject({
  lockVersion: z.literal(LOCK_VERSION),
  workspace: hex,
  platforms: z.array(platform).min(1),
  base: base.optional(),
  compression: compressionSchema,
  registry: z.string().optional(),
  tools: z.record(z.string(), lockedToolSchema),
  wishes: z.record(
    z.string(),
    z.strictObject({ range: z.string(), source: z.string().optional(), definition: hex.optional() }),
  ),
  images: z.record(
    z.string(),
    z.strictObject({
      extends: z.string().optional(),
      tools: z.array(z.string()),
      title: z.string().optional(),
    }),
  ),
  use: z
    .strictObject({ reference: z.string().min(1), digest, platforms: z.partialRecord(platform, digest) })
    .optional(),
  session: session.optional(),
});
