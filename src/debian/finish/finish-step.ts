// SPDX-License-Identifier: Apache-2.0
import type { UnpackedPackage } from "../package-file.ts";
import type { PackageTree } from "../package-tree.ts";

/**
 * Does to the tree what the maintainer scripts of some packages would. A step looks for the files that it works on,
 * and does nothing where they are not part of the set.
 */
export type FinishStep = (
  tree: PackageTree,
  packages: readonly UnpackedPackage[],
  note: (text: string) => void,
) => Promise<void>;
