// SPDX-License-Identifier: Apache-2.0
import { MERGED_FOLDERS } from "../merged-usr.ts";
import type { PackageTree } from "../package-tree.ts";

/**
 * Makes /bin, /lib and the like the links that they are. Since trixie, packages bring them; before, whoever bootstrapped
 * a system made them, and no package did.
 */
export function addMergedFolders(tree: PackageTree): void {
  const entries = tree.listEntries();
  for (const [from, to] of MERGED_FOLDERS) {
    // /lib64 holds nothing but a link to the loader.
    if (!entries.some(({ path }) => path.startsWith(`${to}/`))) continue;
    tree.putIfAbsent({ path: from, type: "symlink", target: to, mode: 0o777, uid: 0, gid: 0 });
  }
}
