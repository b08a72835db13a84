// SPDX-License-Identifier: Apache-2.0
import * as z from "zod";

/** A Go toolchain that we know the content of. */
export interface GoToolchain {
  /** Such as `go1.26.8`. */
  readonly version: string;
  /** Hash (`h1:...`) of its tree by the host it runs on, such as `darwin-arm64`. */
  readonly sums: Readonly<Record<string, string>>;
}

/** A tree hash as go.sum writes it. */
export const goHashSchema: z.ZodType<string> = z
  .string()
  .regex(/^h1:[A-Za-z0-9+/]{43}=$/, 'is not a hash such as "h1:..."');

/** Checks the list of toolchains, newest first. */
export const goToolchainsSchema: z.ZodType<{ readonly toolchains: readonly GoToolchain[] }> = z.strictObject({
  toolchains: z
    .array(
      z.strictObject({
        version: z.string().regex(/^go1\.\d+\.\d+$/, 'is not a Go toolchain such as "go1.26.8"'),
        sums: z.record(z.string().regex(/^(?:linux|darwin)-(?:amd64|arm64)$/, "is not a host"), goHashSchema),
      }),
    )
    .min(1),
});
