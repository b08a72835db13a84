// SPDX-License-Identifier: Apache-2.0
import { compareNames } from "./name-order.ts";
import { dependencyConflict } from "./dependency-error.ts";
import type { PackageManifest } from "./packument.ts";
import { type Dependency, satisfies, TreeNode } from "./package-tree.ts";

/** Finds the version for a dependency. Rejects when there is none. */
export type PickManifest = (dependency: Dependency) => Promise<PackageManifest>;

/** A package that is to be placed, and the peers that have to come along with it. */
export interface PeerGroup {
  /** On whose behalf: its own dependencies have a say in which peers these are. */
  readonly source: TreeNode;
  readonly members: ReadonlyMap<string, TreeNode>;
}

/**
 * Chooses the package for a dependency and, all the way down, the peers that it needs: those that its dependent wants
 * anyway where they fit.
 *
 * @returns the package, which is a member of the group, not yet in the tree
 * @throws {ToolingError} `NPM_DEPENDENCY_UNMET` for peers of the tool itself that exclude each other, and what
 * `pick` throws
 */
export async function loadPeerGroup(
  dependency: Dependency,
  source: TreeNode,
  pick: PickManifest,
): Promise<{ readonly node: TreeNode; readonly group: PeerGroup }> {
  const loader = new GroupLoader(source, pick);
  const node = await loader.load(dependency);
  return { node: loader.members.get(dependency.name) ?? node, group: loader };
}

class GroupLoader implements PeerGroup {
  readonly source: TreeNode;
  readonly members = new Map<string, TreeNode>();
  readonly #pick: PickManifest;
  /** Those whose presence is certain; what conflicts with others may turn out not to be needed. */
  readonly #required: Set<TreeNode>;

  constructor(source: TreeNode, pick: PickManifest) {
    this.source = source;
    this.#pick = pick;
    this.#required = new Set([source]);
  }

  /** @param other A second opinion, which is followed where the first is content with it. */
  async load(dependency: Dependency, other?: Dependency): Promise<TreeNode> {
    const node = new TreeNode(dependency.name, await this.#choose(dependency, other));
    this.members.set(node.name, node);
    this.#markRequired(dependency, node);
    if (other !== undefined) this.#markRequired(other, node);
    for (const peer of listRequiredPeers(node)) {
      if (this.members.get(node.name) !== node) break;
      await this.#loadPeer(peer);
    }
    return node;
  }

  async #choose(dependency: Dependency, other: Dependency | undefined): Promise<PackageManifest> {
    const first = await this.#pick(dependency);
    if (other === undefined || satisfies(other, new TreeNode(dependency.name, first))) return first;
    const second = await this.#pick(other).catch(() => undefined);
    if (second === undefined || !satisfies(dependency, new TreeNode(dependency.name, second))) return first;
    return second;
  }

  #markRequired({ from, kind }: Dependency, node: TreeNode): void {
    if (this.#required.has(from) && kind !== "peerOptional") this.#required.add(node);
  }

  async #loadPeer(peer: Dependency): Promise<void> {
    const current = this.members.get(peer.name);
    if (current !== undefined && satisfies(peer, current)) return;
    const wish = this.source.dependencies.get(peer.name);
    if (current !== undefined) return await this.#replace(current, peer, wish);
    if (wish === undefined) return void (await this.load(peer));
    const node = await this.load(wish, peer);
    if (satisfies(peer, node) || !this.source.isRoot || !this.#required.has(node)) return;
    throw dependencyConflict(peer, [wish]);
  }

  /** Another member of the group wants the same peer otherwise: one version may do for both. */
  async #replace(current: TreeNode, peer: Dependency, wish: Dependency | undefined): Promise<void> {
    const others = [...this.members.values()]
      .flatMap((member) => listRequiredPeers(member))
      .concat(wish ?? [])
      .filter(({ name }) => name === current.name);
    const candidate = new TreeNode(peer.name, await this.#pick(peer));
    if (others.every((other) => satisfies(other, candidate))) return void (await this.load(peer));
    if (!this.source.isRoot || !this.#required.has(peer.from)) return;
    throw dependencyConflict(
      peer,
      others.filter((other) => !satisfies(other, candidate)),
    );
  }
}

function listRequiredPeers(node: TreeNode): readonly Dependency[] {
  return [...node.dependencies.values()]
    .filter(({ kind }) => kind === "peer")
    .toSorted((a, b) => compareNames(a.name, b.name));
}
