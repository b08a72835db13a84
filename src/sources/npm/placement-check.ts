// SPDX-License-Identifier: Apache-2.0
import semver from "semver";
import {
  canReplace,
  dependenciesOn,
  type Dependency,
  foundBy,
  isMet,
  isPeer,
  satisfies,
  type TreeNode,
} from "./package-tree.ts";
import type { PeerGroup } from "./peer-group.ts";

/** What becomes of a package in a folder: it goes in, is there already, replaces another, or cannot go in. */
export type Verdict = "free" | "keep" | "replace" | "conflict";

/** A package that looks for a place. */
export interface Candidate {
  readonly node: TreeNode;
  readonly dependency: Dependency;
  readonly group: PeerGroup;
  /** The dependency that all this began with; another one where a peer comes along. */
  readonly entry: Dependency;
}

/** What {@link checkPlace} finds. */
export interface PlaceCheck {
  /** Of the package and the peers that come along. */
  readonly whole: Verdict;
  /** Of the package alone. */
  readonly self: Verdict;
}

/** The deepest folder that a dependency of `start` may stand in: a peer stands beside, not below. */
export function deepestPlace(start: TreeNode, name: string): TreeNode {
  for (const place of start.ancestry()) {
    const own = place.dependencies.get(name);
    if (place.isRoot || own === undefined || !isPeer(own)) return place;
  }
  return start;
}

/** Whether a package, with its peers, can stand in the folder of `target`. */
export function checkPlace(
  target: TreeNode,
  candidate: Candidate,
  path: readonly TreeNode[] = [],
): PlaceCheck {
  const { node, dependency } = candidate;
  const own = target.dependencies.get(node.name);
  const current = target.children.get(node.name);
  const isTaken =
    target.manifest?.bundled.has(node.name) === true ||
    (own !== undefined && isPeer(own) && !target.isRoot) ||
    (current === undefined && own !== undefined && own !== dependency && !satisfies(own, node));
  if (isTaken) return { whole: "conflict", self: "conflict" };
  const withPeers = (state: Verdict): PlaceCheck => ({
    whole: fitPeers(target, candidate, path) ? state : "conflict",
    self: state,
  });
  return current === undefined
    ? checkEmpty(target, candidate, withPeers)
    : checkOccupied(target, current, candidate, withPeers);
}

type WithPeers = (state: Verdict) => PlaceCheck;

const CONFLICT: PlaceCheck = { whole: "conflict", self: "conflict" };
const KEEP: PlaceCheck = { whole: "keep", self: "keep" };

/** A package that goes between others and what they have found so far must do for them too. */
function checkEmpty(target: TreeNode, { node, entry }: Candidate, withPeers: WithPeers): PlaceCheck {
  const above = target === entry.from ? undefined : target.resolve(node.name);
  const isHiding =
    above !== undefined &&
    dependenciesOn(above).some((user) => user.from.isWithin(target) && isMet(user) && !satisfies(user, node));
  return isHiding ? CONFLICT : withPeers("free");
}

function checkOccupied(
  target: TreeNode,
  current: TreeNode,
  candidate: Candidate,
  withPeers: WithPeers,
): PlaceCheck {
  const { node, dependency } = candidate;
  const isContent = satisfies(dependency, current);
  if (isSamePackage(current, node) && (isContent || !satisfies(dependency, node))) return KEEP;
  const isNewer = compareNodes(node, current) >= 0;
  // An older one only takes the place of a newer one where a peer needs it.
  if ((isNewer || (isPeer(dependency) && !isContent)) && canReplace(current, node)) {
    const replaced = withPeers("replace");
    if (replaced.whole !== "conflict") return replaced;
  }
  return isContent ? KEEP : checkTaken(target, current, candidate, withPeers);
}

/** In the deepest place that there is, what is in the way may have to go. */
function checkTaken(
  target: TreeNode,
  current: TreeNode,
  candidate: Candidate,
  withPeers: WithPeers,
): PlaceCheck {
  const { node, dependency, entry } = candidate;
  const deepest = deepestPlace(isPeer(dependency) ? entry.from : dependency.from, node.name);
  if (target !== deepest) return CONFLICT;
  const isOwn = !isPeer(dependency) && target === dependency.from;
  return isOwn || canMoveAway(current, target, candidate) ? withPeers("replace") : CONFLICT;
}

function isSamePackage({ manifest: a }: TreeNode, { manifest: b }: TreeNode): boolean {
  return a?.name === b?.name && a?.version === b?.version;
}

/** Whether all who use a package can do without it at this place. */
function canMoveAway(
  current: TreeNode,
  target: TreeNode,
  { node, dependency, group, entry }: Candidate,
): boolean {
  return dependenciesOn(current).every(
    (user) => user === dependency || user === entry || satisfies(user, node) || canYield(user, target, group),
  );
}

/** Whether a user of a package that is to go can have one of its own further down, or is itself replaced. */
function canYield(user: Dependency, target: TreeNode, group: PeerGroup): boolean {
  if (group.members.has(user.from.name) && user.from.parent === target) return true;
  if (isPeer(user)) {
    const entries = dependenciesOn(user.from);
    return !user.from.isRoot && entries.length > 0 && entries.every((each) => canYield(each, target, group));
  }
  const place = deepestPlace(user.from, user.name);
  return place !== target && !target.isWithin(place);
}

function fitPeers(target: TreeNode, { node, group, entry }: Candidate, path: readonly TreeNode[]): boolean {
  const further = [...path, node];
  return [...node.dependencies.values()].filter(isPeer).every((peer) => {
    const place = deepestPlace(target, peer.name);
    if (peer.kind === "peerOptional") {
      const there = place.children.get(peer.name);
      return there === undefined || satisfies(peer, there);
    }
    const member = group.members.get(peer.name);
    if (member === undefined || further.includes(member)) return true;
    const candidate: Candidate = { node: member, dependency: peer, group, entry };
    return checkPlace(place, candidate, further).whole !== "conflict";
  });
}

/** Negative: `a` is older. */
function compareNodes(a: TreeNode, b: TreeNode): number {
  return semver.compare(a.manifest?.version ?? "0.0.0", b.manifest?.version ?? "0.0.0", { loose: true });
}

/** Whether a package is not needed where it stands, because what stands above it does as well. */
export function isRedundant(node: TreeNode): boolean {
  const { parent } = node;
  if (parent?.parent === undefined) return false;
  const users = dependenciesOn(node);
  if (users.length === 0) return true;
  const other = parent.parent.resolve(node.name);
  if (other === undefined) return false;
  if (other.manifest?.name === node.manifest?.name && compareNodes(other, node) === 0) return true;
  return canReplace(node, other) && compareNodes(other, node) >= 0;
}

/** Whether a dependency still has to be seen to. */
export function isUnmet(dependency: Dependency): boolean {
  if (dependency.failure !== undefined || dependency.isOverridden) return false;
  if (foundBy(dependency) === undefined) return dependency.kind !== "peerOptional";
  return !isMet(dependency);
}
