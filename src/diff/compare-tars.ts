// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { comparePaths, readTar, type TarMember } from "../archive/index.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import type { OperationOptions } from "../core/operation.ts";
import { type ByteDifference, findFirstDifference } from "./first-difference.ts";
import { findSpooledDifferences } from "./spooled-differences.ts";
import { compareFacts, type FileAspect, factsOf, type MemberFacts } from "./member-facts.ts";
import { type TarByte, findTarByte } from "./tar-byte.ts";

/** What became of one path of a layer. */
export interface FileChange {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  readonly from?: MemberFacts | undefined;
  readonly to?: MemberFacts | undefined;
  /** Empty unless it is changed. */
  readonly aspects: readonly FileAspect[];
  /** Where the contents part. Absent: they do not, or the path is there twice and it cannot be said. */
  readonly content?: ByteDifference | undefined;
}

/** How the tars of two layers differ. */
export interface TarDiff {
  /** By path. */
  readonly files: readonly FileChange[];
  /** A path that stands elsewhere among those that both have. Absent: the order is the same. */
  readonly reordered?: string | undefined;
  /** Where the tars part although paths, contents and order are the same. Absent: they differ in those, or not at all. */
  readonly bytes?: TarByte | undefined;
}

/** A tar that can be read several times. */
export type OpenTar = () => LentBytes;

/** What {@link compareTars} needs of the world. */
export interface CompareTarsOptions extends Pick<OperationOptions, "signal"> {
  /** A folder for contents that stand in another order, which are compared in a second reading. Must exist. */
  readonly temporaryFolder: string;
}

/**
 * Compares two layers path by path. Layers whose paths stand in the same order are read once, side by side; one that
 * has its own order is read twice where contents differ. Memory grows with the number of paths that are out of step.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `ARCHIVE_LIMIT_EXCEEDED`, and what the tars throw
 */
export async function compareTars(
  openFrom: OpenTar,
  openTo: OpenTar,
  { temporaryFolder, signal }: CompareTarsOptions,
): Promise<TarDiff> {
  const walk = new SideBySide();
  await walk.run(readTar(openFrom(), { layer: true, signal }), readTar(openTo(), { layer: true, signal }));
  const { files, unlocated, reordered } = walk.finish();
  if (files.length === 0 && reordered === undefined)
    return { files, bytes: await findTarByte(openFrom, openTo, { signal }) };
  if (unlocated.size === 0) return { files, reordered };
  const found = await findSpooledDifferences(unlocated, [openFrom, openTo], temporaryFolder, { signal });
  const located = files.map((change) => ({ ...change, content: change.content ?? found.get(change.path) }));
  return { files: located, reordered };
}

/** All that a layer without a counterpart brings or hides, by path. */
export async function listTar(
  openTar: OpenTar,
  kind: "added" | "removed",
  { signal }: Pick<OperationOptions, "signal">,
): Promise<readonly FileChange[]> {
  const files: FileChange[] = [];
  for await (const member of readTar(openTar(), { layer: true, signal }))
    files.push(oneSided(kind, factsOf(member)));
  return files.toSorted(byPath);
}

type Members = AsyncGenerator<TarMember, void, undefined>;

/** A member that was met before its counterpart. */
interface WaitingMember extends ReturnType<typeof factsOf> {
  /** Of the content. */
  readonly sha256: string;
}

/** One of the two tars that are walked. */
interface WalkedTar {
  readonly kind: "added" | "removed";
  /** By the path of the member; several where a path is there more than once. */
  readonly waiting: Map<string, WaitingMember[]>;
}

class SideBySide {
  readonly #from: WalkedTar = { kind: "removed", waiting: new Map() };
  readonly #to: WalkedTar = { kind: "added", waiting: new Map() };
  readonly #files: FileChange[] = [];
  readonly #unlocated = new Set<string>();
  #reordered: string | undefined;

  async run(from: Members, to: Members): Promise<void> {
    try {
      let [left, right] = await Promise.all([nextOf(from), nextOf(to)]);
      while (left !== undefined || right !== undefined) {
        if (left !== undefined && right !== undefined && left.path === right.path) {
          await this.#compare(left, right);
          [left, right] = await Promise.all([nextOf(from), nextOf(to)]);
        } else if (left !== undefined && (right === undefined || comparePaths(left.path, right.path) < 0)) {
          await this.#setAside(left, this.#from, this.#to);
          left = await nextOf(from);
        } else if (right !== undefined) {
          await this.#setAside(right, this.#to, this.#from);
          right = await nextOf(to);
        }
      }
    } finally {
      await Promise.all([from.return(), to.return()]);
    }
  }

  finish(): Pick<TarDiff, "files" | "reordered"> & { readonly unlocated: ReadonlySet<string> } {
    const left = [this.#from, this.#to].flatMap(({ kind, waiting }) =>
      [...waiting.values()].flat().map((member) => oneSided(kind, member)),
    );
    const files = [...this.#files, ...left].toSorted(byPath);
    return { files, reordered: this.#reordered, unlocated: this.#unlocated };
  }

  async #compare(left: TarMember, right: TarMember): Promise<void> {
    const areFiles = left.type === "file" && right.type === "file";
    const content = areFiles ? await findFirstDifference(left.content, right.content) : undefined;
    const { path, facts: from } = factsOf(left);
    const { facts: to } = factsOf(right);
    this.#report({ path, from, to, content, differs: content !== undefined });
  }

  async #setAside(member: TarMember, own: WalkedTar, other: WalkedTar): Promise<void> {
    const described = { ...factsOf(member), sha256: await digestContent(member) };
    const counterpart = other.waiting.get(member.path)?.shift();
    if (counterpart === undefined) {
      const same = own.waiting.get(member.path);
      if (same === undefined) own.waiting.set(member.path, [described]);
      else same.push(described);
      return;
    }
    this.#reordered ??= described.path;
    const [from, to] = own === this.#from ? [described, counterpart] : [counterpart, described];
    const areFiles = from.facts.type === "file" && to.facts.type === "file";
    const differs = areFiles && from.sha256 !== to.sha256;
    if (differs) this.#unlocated.add(described.path);
    this.#report({ path: described.path, from: from.facts, to: to.facts, differs });
  }

  #report({ differs, ...change }: ComparedMembers): void {
    const aspects = compareFacts(change.from, change.to);
    if (differs) aspects.push("content");
    if (aspects.length > 0) this.#files.push({ ...change, kind: "changed", aspects });
  }
}

interface ComparedMembers {
  readonly path: string;
  readonly from: MemberFacts;
  readonly to: MemberFacts;
  /** Whether the contents do. */
  readonly differs: boolean;
  readonly content?: ByteDifference | undefined;
}

async function nextOf(members: Members): Promise<TarMember | undefined> {
  const next = await members.next();
  return next.done === true ? undefined : next.value;
}

async function digestContent({ content }: TarMember): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of content) hash.update(chunk);
  return hash.digest("base64");
}

function oneSided(
  kind: "added" | "removed",
  { path, facts }: Pick<WaitingMember, "path" | "facts">,
): FileChange {
  return { path, kind, ...(kind === "added" ? { to: facts } : { from: facts }), aspects: [] };
}

function byPath(a: FileChange, b: FileChange): number {
  return comparePaths(a.path, b.path);
}
