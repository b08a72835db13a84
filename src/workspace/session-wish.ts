// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { CREDENTIAL_NAMES } from "./credential-name.ts";
import { limitsSchema } from "./session-limits.ts";

const mountText = z
  .string()
  .regex(/^[^:]+:\/[^:]*(:(ro|rw))?$/, 'must look like "~/.kube:/root/.kube:ro"')
  .describe('"SOURCE:TARGET", read-only unless ":rw" follows');

const mount = z.strictObject({
  source: z
    .string()
    .min(1)
    .describe("Path on the host; ~ is the home folder, relative paths start at toolbox.yaml"),
  target: z.string().regex(/^\//, "must be an absolute path").describe("Absolute path inside the image"),
  readOnly: z.boolean().optional().describe("Default true"),
});

/** What `session:` of toolbox.yaml may hold. */
export const sessionSchema = z.strictObject({
  image: z
    .string()
    .optional()
    .describe("The image of this file that commands run in. Default: the only or the first one"),
  mounts: z
    .array(z.union([mountText, mount]))
    .optional()
    .describe("Host paths to show inside, besides the workspace"),
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*(=[^\0]*)?$/, 'must look like "NAME" or "NAME=value"'))
    .optional()
    .describe('"NAME" passes the variable of the host on, "NAME=value" sets it'),
  credentials: z
    .array(z.enum(CREDENTIAL_NAMES))
    .optional()
    .describe("Which credentials of the host a command may read"),
  context: z
    .string()
    .min(1)
    .optional()
    .describe("The one context of kubeconfig that is carried, as the current one. Default: all of them"),
  namespace: z
    .string()
    .min(1)
    .optional()
    .describe("The namespace that kubeconfig's current context starts in. Default: the context's own"),
  network: z
    .enum(["host", "default", "none"])
    .optional()
    .describe('Default "host", so that local clusters answer'),
  limits: limitsSchema.optional().describe("What a command may use at most. Default: no limits"),
});

/** `session:` as written. */
export type SessionWish = z.infer<typeof sessionSchema>;
