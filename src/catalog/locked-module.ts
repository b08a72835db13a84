// SPDX-License-Identifier: Apache-2.0
import * as z from "zod";

/** A package that stands in the archive of another. */
export interface BundledModule {
  /** Below the package that brings it, such as `node_modules/b`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** SPDX licence expression as its author wrote it. Absent: none is named. */
  readonly license?: string | undefined;
}

/** One package of an npm registry, by coordinates that hold in every registry. */
export interface LockedModule {
  /** Folder below the tool's `lib`, such as `node_modules/a/node_modules/b`. */
  readonly path: string;
  /** Differs from the folder's name for an alias. */
  readonly name: string;
  readonly version: string;
  /** Subresource Integrity of the archive, sha512. */
  readonly integrity: string;
  /** Bytes of the archive. */
  readonly size: number;
  /** SPDX licence expression as its author wrote it. Absent: none is named. */
  readonly license?: string | undefined;
  /** By path. Absent: none. */
  readonly bundled?: readonly BundledModule[] | undefined;
}

const word = z.string().min(1);
const modulePath = word.regex(
  /^node_modules\/(?:@[\w.~-]+\/)?(?!\.)[\w.~-]+(?:\/node_modules\/(?:@[\w.~-]+\/)?(?!\.)[\w.~-]+)*$/,
  "is not a folder of packages",
);
/** Checks the name of a package. */
export const moduleNameSchema: z.ZodType<string> = word.regex(
  /^(?:@[\w.~-]+\/)?(?!\.)[\w.~-]+$/,
  "is not the name of a package",
);
const license = z.string().min(1).optional();

/** Checks one package of a tool from an npm registry. */
export const lockedModuleSchema: z.ZodType<LockedModule> = z.strictObject({
  path: modulePath,
  name: moduleNameSchema,
  version: word,
  integrity: z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, "is not a sha512 integrity"),
  size: z.int().nonnegative(),
  license,
  bundled: z.array(z.strictObject({ path: modulePath, name: word, version: z.string(), license })).optional(),
});
