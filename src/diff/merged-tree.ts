// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readTar } from "../archive/index.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import type { OperationOptions } from "../core/operation.ts";
import { compareFacts, factsOf, type MemberFacts } from "./member-facts.ts";
import type { FileChange } from "./compare-tars.ts";

/** One path of a layer. */
export interface LayerMember {
  readonly path: string;
  readonly facts: MemberFacts;
  /** Of a file's content. */
  readonly sha256?: string | undefined;
}

/** Something in a tree, and what lies below it. */
interface TreeNode {
  member?: Omit<LayerMember, "path"> | undefined;
  readonly children: Map<string, TreeNode>;
}

/**
 * All members of a layer, each content hashed.
 *
 * @throws {ToolingError} as readTar
 */
export async function readLayerMembers(
  content: LentBytes,
  { signal }: Pick<OperationOptions, "signal">,
): Promise<readonly LayerMember[]> {
  const members: LayerMember[] = [];
  for await (const member of readTar(content, { layer: true, signal })) {
    const described = factsOf(member);
    if (described.facts.type !== "file") members.push(described);
    else members.push({ ...described, sha256: await digestOf(member.content) });
  }
  return members;
}

/** What a container sees when layers lie on each other, whiteouts applied (image-spec v1.1.1, layer.md). */
export class MergedTree {
  readonly #root: TreeNode = { children: new Map() };

  /** Lays a layer on top. What it hides is what lies below it, never what it brings itself. */
  add(layer: readonly LayerMember[]): void {
    for (const { path, facts } of layer) {
      if (facts.type === "opaque") this.#find(path)?.children.clear();
      else if (facts.type === "whiteout") this.#remove(path);
    }
    for (const { path, ...member } of layer) {
      if (member.facts.type !== "opaque" && member.facts.type !== "whiteout") this.#put(path, member);
    }
  }

  /** The paths that are not the same in another tree, by path. */
  compareTo(other: MergedTree): readonly FileChange[] {
    return compareNodes(this.#root, other.#root, "");
  }

  #put(path: string, member: Omit<LayerMember, "path">): void {
    const node = this.#make(path);
    node.member = this.#resolve(member);
    if (member.facts.type !== "directory") node.children.clear();
  }

  /** A second name of a file is a file: which of its names comes first is the tar's business. */
  #resolve(member: Omit<LayerMember, "path">): Omit<LayerMember, "path"> {
    const { type, target } = member.facts;
    const linked = type === "hardlink" && target !== undefined ? this.#find(target)?.member : undefined;
    return linked ?? member;
  }

  #make(path: string): TreeNode {
    let node = this.#root;
    for (const name of namesOf(path)) {
      const known = node.children.get(name) ?? { children: new Map<string, TreeNode>() };
      node.children.set(name, known);
      node = known;
    }
    return node;
  }

  #find(path: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.#root;
    for (const name of namesOf(path)) node = node?.children.get(name);
    return node;
  }

  #remove(path: string): void {
    const slash = path.lastIndexOf("/");
    this.#find(path.slice(0, Math.max(0, slash)))?.children.delete(path.slice(slash + 1));
  }
}

function namesOf(path: string): readonly string[] {
  return path === "" ? [] : path.split("/");
}

function compareNodes(from: TreeNode | undefined, to: TreeNode | undefined, path: string): FileChange[] {
  const own = compareMembers(from?.member, to?.member, path);
  const names = new Set([...(from?.children.keys() ?? []), ...(to?.children.keys() ?? [])]);
  const below = [...names].toSorted().flatMap((name) => {
    const child = path === "" ? name : `${path}/${name}`;
    return compareNodes(from?.children.get(name), to?.children.get(name), child);
  });
  return own === undefined ? below : [own, ...below];
}

function compareMembers(
  from: TreeNode["member"],
  to: TreeNode["member"],
  path: string,
): FileChange | undefined {
  if (from === undefined && to === undefined) return undefined;
  if (from === undefined) return { path, kind: "added", to: to?.facts, aspects: [] };
  if (to === undefined) return { path, kind: "removed", from: from.facts, aspects: [] };
  const aspects = compareFacts(from.facts, to.facts);
  if (from.facts.type === to.facts.type && from.sha256 !== to.sha256) aspects.push("content");
  return aspects.length === 0
    ? undefined
    : { path, kind: "changed", from: from.facts, to: to.facts, aspects };
}

async function digestOf(content: LentBytes): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of content) hash.update(chunk);
  return hash.digest("base64");
}
