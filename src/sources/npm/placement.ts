// SPDX-License-Identifier: Apache-2.0
import { dependencyConflict } from "./dependency-error.ts";
import { compareNames } from "./name-order.ts";
import {
  dependenciesOn,
  type Dependency,
  foundBy,
  gatherUnshared,
  isMet,
  isPeer,
  satisfies,
  TreeNode,
} from "./package-tree.ts";
import type { PeerGroup } from "./peer-group.ts";
import { type Candidate, checkPlace, deepestPlace, isRedundant, type Verdict } from "./placement-check.ts";

/** What placing one package did to a tree. */
export interface Placement {
  /** Packages whose dependencies have to be looked at now. */
  readonly touched: Set<TreeNode>;
  /** Peers that stay at another version than wished, as npm only warns of where it is nobody's own choice. */
  readonly overridden: Dependency[];
}

/**
 * Puts a package, and the peers that come along, as high up in the tree as it does not get into anybody's way.
 *
 * @throws {ToolingError} `NPM_DEPENDENCY_UNMET` where the tool itself wants what excludes each other
 */
export function placePackage(dependency: Dependency, node: TreeNode, group: PeerGroup): Placement {
  const placement: Placement = { touched: new Set(), overridden: [] };
  placeOne({ node, dependency, group, entry: dependency }, dependency.from, placement);
  return placement;
}

interface Place {
  readonly target: TreeNode;
  readonly verdict: Verdict;
}

function placeOne(candidate: Candidate, from: TreeNode, placement: Placement): void {
  const { node, dependency } = candidate;
  if (foundBy(dependency) !== undefined && isMet(dependency)) return;
  const start = deepestPlace(from, dependency.name);
  const place = findPlace(candidate, start);
  if (place === undefined) {
    if (isOwnChoice(candidate.entry)) throw conflictAt(candidate, start);
    override(dependency, placement);
  } else if (place.verdict === "keep") {
    if (isPeer(dependency) && !isMet(dependency)) override(dependency, placement);
    removeRedundant([...place.target.children.values()], true);
  } else if (isNestedForever(node, place.target)) {
    throw conflictAt(candidate, start);
  } else {
    const placed = putInto(place.target, candidate, placement);
    placePeers(placed, candidate, start, placement);
    placement.touched.add(placed);
    const unhappy = dependenciesOn(placed).filter(
      (user) => user !== dependency && !user.isOverridden && !isMet(user),
    );
    for (const { from: user } of unhappy) placement.touched.add(user);
  }
}

function putInto(target: TreeNode, { node, dependency }: Candidate, placement: Placement): TreeNode {
  const placed = new TreeNode(node.name, node.manifest);
  const before = foundBy(dependency);
  enter(placed, target, placement);
  if (before !== undefined && before.parent !== undefined) removeRedundant([before], false);
  removeDuplicates(placed, target);
  if (isPeer(dependency) && !satisfies(dependency, placed)) override(dependency, placement);
  return placed;
}

function placePeers(
  placed: TreeNode,
  { group, entry }: Candidate,
  start: TreeNode,
  placement: Placement,
): void {
  for (const peer of placed.dependencies.values()) {
    const member = group.members.get(peer.name);
    if (!isPeer(peer) || isMet(peer) || member === undefined || !satisfies(peer, member)) continue;
    placeOne({ node: member, dependency: peer, group, entry }, start, placement);
  }
}

/** The highest folder before the first that has no room. Where not even the peers can go along, the package alone. */
function findPlace(candidate: Candidate, start: TreeNode): Place | undefined {
  let whole: Place | undefined;
  let alone: Place | undefined;
  for (const target of start.ancestry()) {
    const own = target.dependencies.get(candidate.node.name);
    if (!target.isRoot && own !== undefined && isPeer(own)) continue;
    const check = checkPlace(target, candidate);
    if (check.self !== "conflict") alone = { target, verdict: check.self };
    if (check.whole === "conflict") break;
    whole = { target, verdict: check.whole };
  }
  return whole ?? (isOwnChoice(candidate.entry) ? undefined : alone);
}

/** Whether the tool's own definition brings a package in, straight or as a peer of what it names. */
function isOwnChoice({ from, kind }: Dependency, seen: ReadonlySet<TreeNode> = new Set()): boolean {
  if (from.isRoot) return true;
  if ((kind !== "peer" && kind !== "peerOptional") || seen.has(from)) return false;
  const further = new Set([...seen, from]);
  return dependenciesOn(from).some((user) => user.from.isRoot || isOwnChoice(user, further));
}

function conflictAt({ node, dependency, group }: Candidate, start: TreeNode): Error {
  const names = new Set([node.name, ...group.members.keys()]);
  const wishes = [...start.subtree()].flatMap((user) =>
    [...user.dependencies.values()].filter(({ name }) => names.has(name)),
  );
  for (const wish of wishes) {
    const member = group.members.get(wish.name);
    if (member === undefined || satisfies(wish, member)) continue;
    const rival = [...group.members.values()].flatMap((each) => each.dependencies.get(wish.name) ?? []);
    return dependencyConflict(rival[0] ?? dependency, [wish]);
  }
  return dependencyConflict(
    dependency,
    wishes.filter(({ name }) => name === dependency.name),
  );
}

function override(dependency: Dependency, placement: Placement): void {
  dependency.isOverridden = true;
  placement.overridden.push(dependency);
}

/** Versions of two packages that need each other otherwise could be nested in each other without end. */
function isNestedForever({ name, manifest }: TreeNode, target: TreeNode): boolean {
  return [...target.ancestry()].some(
    (above) => !above.isRoot && above.name === name && above.manifest?.version === manifest?.version,
  );
}

/** What the package that goes had below it stays, where somebody still needs it. */
function enter(placed: TreeNode, target: TreeNode, { touched }: Placement): void {
  const old = target.children.get(placed.name);
  if (old === undefined) return target.add(placed);
  const users = dependenciesOn(old);
  const left = [...old.dependencies.values()].flatMap((dependency) => {
    const to = foundBy(dependency);
    return to === undefined || placed.dependencies.has(dependency.name) ? [] : [to];
  });
  old.remove();
  target.add(placed);
  for (const child of old.children.values()) placed.add(child);
  const wrong = [...placed.dependencies.values()].flatMap((dependency) => {
    const to = foundBy(dependency);
    return to === undefined || isMet(dependency) ? [] : [to];
  });
  const unneeded = gatherUnshared(
    [...left, ...wrong],
    (dependency, to) => dependency.from !== placed && to !== placed && isMet(dependency),
  );
  for (const node of unneeded) if (!node.isRoot) removeNode(node, touched);
  for (const { from } of users) touched.add(from);
}

function removeNode(node: TreeNode, touched: Set<TreeNode>): void {
  for (const { from } of dependenciesOn(node)) touched.add(from);
  node.remove();
}

/** A package further up makes those of its name below it needless, where they are no newer. */
function removeDuplicates(placed: TreeNode, target: TreeNode): void {
  const others = [...target.subtree()].filter((node) => node.name === placed.name && node !== placed);
  for (const node of others) {
    if (!isAttached(node, target)) continue;
    removeRedundant([node], false);
    if (isAttached(node, target)) removeRedundant([...node.children.values()], false);
  }
}

function removeRedundant(nodes: readonly TreeNode[], isDeep: boolean): void {
  for (const node of nodes.toSorted((a, b) => compareNames(a.path, b.path))) {
    if (node.parent === undefined) continue;
    if (isRedundant(node)) {
      const set = gatherUnshared([node], (dependency, to) => to !== node && isMet(dependency));
      for (const each of new Set([node, ...set])) each.remove();
    } else if (isDeep) {
      removeRedundant([...node.children.values()], true);
    }
  }
}

function isAttached(node: TreeNode, target: TreeNode): boolean {
  return node.parent !== undefined && node.isWithin(target);
}
