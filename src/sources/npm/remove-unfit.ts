// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { missingDependency } from "./dependency-error.ts";
import {
  dependenciesOn,
  type Dependency,
  describeChain,
  foundBy,
  gatherUnshared,
  isMet,
  isOptional,
  type TreeNode,
} from "./package-tree.ts";
import { fitsEngine, fitsPlatform, type TargetNode } from "./target-node.ts";

/**
 * Takes out of a complete tree what is only optional and not for the target, or cannot be had, with all that is only
 * there for it; and what nothing needs any more.
 *
 * @returns notes about packages that are needed and say that they want another Node.js
 * @throws {ToolingError} `NPM_DEPENDENCY_UNMET`, `PLATFORM_UNAVAILABLE` where such a package is needed
 */
export function removeUnfit(root: TreeNode, target: TargetNode): readonly string[] {
  const needed = reach(root, (optional) => !optional);
  const gone = new Set<TreeNode>();
  for (const node of root.subtree()) {
    const failed = [...node.dependencies.values()].find(isFailed);
    if (failed === undefined) continue;
    if (needed.has(node)) throw missingDependency(failed, failed.failure ?? "");
    leaveOut(node, gone);
  }
  const notes = [...root.subtree()].flatMap((node) => checkFit(node, target, needed, gone));
  for (const node of gone) node.remove();
  const left = reach(root, () => true);
  for (const node of root.subtree()) if (!left.has(node)) node.remove();
  return notes;
}

function isFailed(dependency: Dependency): boolean {
  return dependency.failure !== undefined && !isOptional(dependency) && !isMet(dependency);
}

function checkFit(
  node: TreeNode,
  target: TargetNode,
  needed: ReadonlySet<TreeNode>,
  gone: Set<TreeNode>,
): readonly string[] {
  if (node.manifest === undefined || gone.has(node)) return [];
  const isForCpu = fitsPlatform(node.manifest, target);
  if (isForCpu && fitsEngine(node.manifest, target)) return [];
  if (!needed.has(node)) {
    leaveOut(node, gone);
    return [];
  }
  if (!isForCpu) throw wrongPlatform(node, target);
  return [`${describeChain(node)} asks for Node.js "${node.manifest.node}", here it is ${target.version}`];
}

/** All that is found from the root along the dependencies that count. */
function reach(root: TreeNode, counts: (isOptionalOne: boolean) => boolean): ReadonlySet<TreeNode> {
  const found = new Set([root]);
  for (const node of found) {
    for (const dependency of node.dependencies.values()) {
      const to = foundBy(dependency);
      if (to !== undefined && counts(isOptional(dependency))) found.add(to);
    }
  }
  return found;
}

/** Up to where something was only optional, then down to all that is there for nobody else. */
function leaveOut(node: TreeNode, gone: Set<TreeNode>): void {
  const set = new Set([node]);
  for (const each of set) {
    for (const dependency of dependenciesOn(each)) if (!isOptional(dependency)) set.add(dependency.from);
  }
  const all = gatherUnshared(set, ({ from }, to) => !set.has(to) && !gone.has(from));
  for (const each of all) gone.add(each);
}

function wrongPlatform(node: TreeNode, { platform }: TargetNode): ToolingError {
  return new ToolingError("PLATFORM_UNAVAILABLE", `${describeChain(node)} is not made for ${platform}`, {
    hint: "Choose another version or source of the tool, or leave that platform out.",
  });
}
