// SPDX-License-Identifier: Apache-2.0
import { describeWish } from "./dependency-error.ts";
import { compareNames } from "./name-order.ts";
import type { PackageManifest, Packument } from "./packument.ts";
import { type Dependency, TreeNode } from "./package-tree.ts";
import { loadPeerGroup, type PeerGroup } from "./peer-group.ts";
import { pickVersion } from "./pick-version.ts";
import { placePackage } from "./placement.ts";
import { isUnmet } from "./placement-check.ts";
import { removeUnfit } from "./remove-unfit.ts";
import type { TargetNode } from "./target-node.ts";

/** Where the resolver learns of versions. The same answers always give the same tree. */
export interface PackumentReader {
  /** Absent: no registry has the package. */
  readPackument(name: string): Promise<Packument | undefined>;
}

/** A package and where it stands. */
export interface ResolvedPackage {
  /** `node_modules/a/node_modules/b`. */
  readonly path: string;
  readonly manifest: PackageManifest;
}

/** What {@link resolvePackages} gives. */
export interface ResolvedTree {
  /** By path. */
  readonly packages: readonly ResolvedPackage[];
  /** What does not stop anything and is worth knowing, one line each. */
  readonly notes: readonly string[];
}

/** Each step looks at the dependencies of one package; real trees take a few per package. */
const MOST_STEPS = 50_000;

/**
 * Builds the tree of folders that npm (7 and later) builds for `wishes` on the target: highest versions, each package
 * as high up as it gets into nobody's way, peers beside those that need them, and nothing that is not for the target.
 *
 * @param wishes Ranges by name of what the tool itself asks for.
 * @throws {ToolingError} `NPM_DEPENDENCY_UNMET`, `PLATFORM_UNAVAILABLE`, and what the reader throws
 */
export async function resolvePackages(
  wishes: Readonly<Record<string, string>>,
  target: TargetNode,
  reader: PackumentReader,
): Promise<ResolvedTree> {
  const builder = new TreeBuilder(new TreeNode("", undefined, wishes), target, reader);
  await builder.run();
  const notes = [...builder.notes, ...removeUnfit(builder.root, target)];
  const packages = [...builder.root.subtree()].flatMap(({ path, manifest }) =>
    manifest === undefined ? [] : [{ path, manifest }],
  );
  return { packages: packages.toSorted((a, b) => (a.path < b.path ? -1 : 1)), notes };
}

/** A package that was chosen and is about to be placed. */
interface Task {
  readonly dependency: Dependency;
  readonly node: TreeNode;
  readonly group: PeerGroup;
}

class TreeBuilder {
  readonly root: TreeNode;
  readonly notes: string[] = [];
  readonly #target: TargetNode;
  readonly #reader: PackumentReader;
  readonly #queue: Set<TreeNode>;
  /** On whose behalf a package came in that was a peer, so that its own peers are chosen with that in mind. */
  readonly #sources = new Map<string, TreeNode>();

  constructor(root: TreeNode, target: TargetNode, reader: PackumentReader) {
    this.root = root;
    this.#target = target;
    this.#reader = reader;
    this.#queue = new Set([root]);
  }

  async run(): Promise<void> {
    for (let steps = 0; this.#queue.size > 0; steps += 1) {
      if (steps > MOST_STEPS) throw new Error(`the dependencies still change after ${MOST_STEPS} steps`);
      const node = this.#takeNext();
      if (!node.isWithin(this.root)) continue;
      const unmet = [...node.dependencies.values()]
        .filter(isUnmet)
        .toSorted((a, b) => compareNames(a.name, b.name));
      // All are chosen before the first is placed, so that the order of answers decides nothing.
      const tasks = await Promise.all(unmet.map(async (dependency) => await this.#choose(dependency)));
      for (const task of tasks) if (task !== undefined) this.#place(task);
    }
  }

  /** The shallowest first, which has a say in all below; of those the first by path. */
  #takeNext(): TreeNode {
    const [next = this.root] = [...this.#queue].toSorted(
      (a, b) => a.depth - b.depth || compareNames(a.path, b.path),
    );
    this.#queue.delete(next);
    return next;
  }

  async #choose(dependency: Dependency): Promise<Task | undefined> {
    const { from } = dependency;
    const source = dependency.kind === "peer" ? (this.#sources.get(from.path) ?? from) : from;
    try {
      const { node, group } = await loadPeerGroup(dependency, source, this.#pick);
      return { dependency, node, group };
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      // Whether it matters is only known when the tree is complete.
      dependency.failure = error.message;
      return undefined;
    }
  }

  #place({ dependency, node, group }: Task): void {
    const { touched, overridden } = placePackage(dependency, node, group);
    for (const each of touched) {
      this.#queue.add(each);
      if (group.members.has(each.name)) this.#sources.set(each.path, group.source);
    }
    this.notes.push(
      ...overridden.map(
        (each) => `${describeWish(each)}, which it does not get: another version stands there`,
      ),
    );
  }

  readonly #pick = async (dependency: Dependency): Promise<PackageManifest> => {
    const { spec } = dependency;
    if (spec.kind === "foreign") {
      throw new UnavailableError(
        "it is to come from an address or a repository of its own, not from a registry",
      );
    }
    const packument = await this.#reader.readPackument(spec.name);
    if (packument === undefined) throw new UnavailableError(`no registry has "${spec.name}"`);
    const manifest = pickVersion(packument, spec, this.#target);
    if (manifest === undefined) throw new UnavailableError(`no version is in "${spec.wanted}"`);
    return manifest;
  };
}

/** Why a package cannot be had, which only matters where something needs it. */
class UnavailableError extends Error {}
