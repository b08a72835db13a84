// SPDX-License-Identifier: Apache-2.0
import * as z from "zod";

/** A package of an npm registry with all that it needs, in a folder of its own. */
export interface NpmSourceDefinition {
  readonly source: "npm";
  /** Name of the package, such as `prettier` or `@commitlint/cli`; its version is the tool's. */
  readonly package: string;
  /**
   * More that is installed beside it, each `name` or `name@range`: plugins and shared settings, whose programs are
   * installed too, or narrower versions of a dependency. Absent: nothing.
   */
  readonly requirements?: readonly string[] | undefined;
  /** Packages of the base's Debian suite that it needs besides `nodejs`. Absent: none. */
  readonly debianPackages?: readonly string[] | undefined;
  /**
   * Names of packages that the tool works without the install scripts of, which are never run. Absent: a package that
   * has one is an error.
   */
  readonly ignoreScripts?: readonly string[] | undefined;
}

const word = z.string().min(1);
const debianPackage = word.regex(/^[a-z0-9][a-z0-9+.-]+$/, "is not a Debian package name");
const npmName = word.regex(
  /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$/,
  "is not an npm package name",
);

/** Checks a source that is an npm registry. */
export const npmSourceSchema = z.strictObject({
  source: z.literal("npm"),
  package: npmName,
  requirements: z.array(word).optional(),
  debianPackages: z.array(debianPackage).optional(),
  ignoreScripts: z.array(npmName).optional(),
});
