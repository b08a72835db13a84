// SPDX-License-Identifier: Apache-2.0
import { type PackageSpec, parsePackageSpec, satisfiesSpec } from "./package-spec.ts";
import type { PackageManifest } from "./packument.ts";

/** Why a package needs another. */
type DependencyKind = "prod" | "optional" | "peer" | "peerOptional";

/** One dependency of a package that stands in a tree. */
export interface Dependency {
  readonly from: TreeNode;
  /** Name of the folder that it is looked for under. */
  readonly name: string;
  readonly kind: DependencyKind;
  readonly spec: PackageSpec;
  /** As it was written. */
  readonly text: string;
  /** No release of it can be had; only harmless where nothing needs `from`. */
  failure?: string;
  /** A peer that is of another version than wished, which npm only warns of. */
  isOverridden: boolean;
}

/** A package in a `node_modules` folder, or the root that all packages are below. */
export class TreeNode {
  readonly name: string;
  /** Absent: this is the root. */
  readonly manifest: PackageManifest | undefined;
  parent: TreeNode | undefined;
  readonly children = new Map<string, TreeNode>();
  readonly dependencies: ReadonlyMap<string, Dependency>;

  constructor(
    name: string,
    manifest: PackageManifest | undefined,
    wishes?: Readonly<Record<string, string>>,
  ) {
    this.name = name;
    this.manifest = manifest;
    this.dependencies = new Map(
      listDependencies(this, manifest, wishes ?? {}).map((dependency) => [dependency.name, dependency]),
    );
  }

  get isRoot(): boolean {
    return this.manifest === undefined;
  }

  /** Path below the root, such as `node_modules/a/node_modules/b`; `""` for the root. */
  get path(): string {
    if (this.parent === undefined) return "";
    return `${this.parent.path === "" ? "" : `${this.parent.path}/`}node_modules/${this.name}`;
  }

  get depth(): number {
    return this.parent === undefined ? 0 : this.parent.depth + 1;
  }

  /** What Node.js finds under a name from here. */
  resolve(name: string): TreeNode | undefined {
    return this.children.get(name) ?? this.parent?.resolve(name);
  }

  add(child: TreeNode): void {
    this.children.set(child.name, child);
    child.parent = this;
  }

  remove(): void {
    if (this.parent?.children.get(this.name) === this) this.parent.children.delete(this.name);
    this.parent = undefined;
  }

  /** This node and those around it, up to the root. */
  *ancestry(): Generator<TreeNode, void, undefined> {
    yield this;
    if (this.parent !== undefined) yield* this.parent.ancestry();
  }

  /** This node and all below it. */
  *subtree(): Generator<TreeNode, void, undefined> {
    yield this;
    for (const child of this.children.values()) yield* child.subtree();
  }

  /** Whether this node is `other` or stands below it. */
  isWithin(other: TreeNode): boolean {
    return this === other || (this.parent?.isWithin(other) ?? false);
  }
}

/** A later kind of a name hides an earlier one, as npm reads a package.json. */
function listDependencies(
  from: TreeNode,
  manifest: PackageManifest | undefined,
  wishes: Readonly<Record<string, string>>,
): readonly Dependency[] {
  const listOf = (
    texts: Readonly<Record<string, string>>,
    kindOf: (name: string) => DependencyKind,
  ): readonly Dependency[] =>
    Object.entries(texts).map(([name, text]) => ({
      from,
      name,
      kind: kindOf(name),
      spec: parsePackageSpec(name, text),
      text,
      isOverridden: false,
    }));
  if (manifest === undefined) return listOf(wishes, () => "prod");
  return [
    ...listOf(manifest.peerDependencies, (name) =>
      manifest.optionalPeers.has(name) ? "peerOptional" : "peer",
    ),
    ...listOf(manifest.dependencies, () => "prod"),
    ...listOf(manifest.optionalDependencies, () => "optional"),
    // What an archive brings along is there already.
  ].filter(({ name }) => !manifest.bundled.has(name));
}

export function isPeer({ kind }: Dependency): boolean {
  return kind === "peer" || kind === "peerOptional";
}

/** Whether nothing is lost when it is missing. */
export function isOptional({ kind }: Dependency): boolean {
  return kind === "optional" || kind === "peerOptional";
}

/** What a dependency finds in its tree. Absent: nothing. */
export function foundBy({ from, name }: Dependency): TreeNode | undefined {
  return from.resolve(name);
}

/** Whether a package would do for a dependency. */
export function satisfies(dependency: Dependency, node: TreeNode): boolean {
  return (
    node.manifest !== undefined &&
    node.name === dependency.name &&
    satisfiesSpec(dependency.spec, node.manifest)
  );
}

/** Whether a dependency is content with what it finds, or with finding nothing. */
export function isMet(dependency: Dependency): boolean {
  const found = foundBy(dependency);
  if (found === undefined) return isOptional(dependency);
  // A peer is shared with those around, so it must not be one's own.
  if (isPeer(dependency) && found.parent === dependency.from && !dependency.from.isRoot) return false;
  return satisfies(dependency, found);
}

/** The dependencies that find this very package. */
export function dependenciesOn(node: TreeNode): readonly Dependency[] {
  const found: Dependency[] = [];
  for (const from of node.parent?.subtree() ?? []) {
    const dependency = from.dependencies.get(node.name);
    if (dependency !== undefined && from.resolve(node.name) === node) found.push(dependency);
  }
  return found;
}

/**
 * `nodes` and all that they need, without what somebody outside of that needs too.
 *
 * @param counts Says which dependencies are followed and looked at.
 */
export function gatherUnshared(
  nodes: Iterable<TreeNode>,
  counts: (dependency: Dependency, to: TreeNode) => boolean,
): Set<TreeNode> {
  const set = new Set(nodes);
  for (const node of set) {
    for (const dependency of node.dependencies.values()) {
      const to = foundBy(dependency);
      if (to !== undefined && counts(dependency, to)) set.add(to);
    }
  }
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const node of set) {
      const isShared = dependenciesOn(node).some(
        (dependency) => !set.has(dependency.from) && counts(dependency, node),
      );
      if (isShared) isChanged = set.delete(node);
    }
  }
  return set;
}

/** Whether all who use `current` would be content with `other` in its place. */
export function canReplace(current: TreeNode, other: TreeNode): boolean {
  if (current.name !== other.name || current.manifest?.name !== other.manifest?.name) return false;
  const own = gatherUnshared([current], (dependency, to) => to !== current && isMet(dependency));
  return dependenciesOn(current).every(
    (dependency) => own.has(dependency.from) || satisfies(dependency, other),
  );
}

/** Who needs a package, from the root: `"a" 1.0.0 > "b" 2.0.0`. The shortest way there is. */
export function describeChain(node: TreeNode): string {
  const seen = new Set([node]);
  const queue: { readonly at: TreeNode; readonly text: string }[] = [
    { at: node, text: describePackage(node) },
  ];
  for (const { at, text } of queue) {
    for (const { from } of dependenciesOn(at)) {
      if (from.isRoot) return text;
      if (seen.has(from)) continue;
      seen.add(from);
      queue.push({ at: from, text: `${describePackage(from)} > ${text}` });
    }
  }
  return queue.at(-1)?.text ?? "";
}

function describePackage({ name, manifest }: TreeNode): string {
  if (manifest === undefined) return "the tool's definition";
  const alias = manifest.name === name ? "" : ` (${manifest.name})`;
  return `"${name}"${alias} ${manifest.version}`;
}
