// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, parentPath } from "../archive/index.ts";
import { collectBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { parseDependencies, satisfies } from "./dependency.ts";
import { resolveMergedPath } from "./merged-usr.ts";
import type { UnpackedPackage } from "./package-file.ts";

interface OwnedEntry {
  readonly entry: ArchiveEntry;
  /** Absent: made by us. */
  readonly owner?: UnpackedPackage;
}

/** The tree that several packages make together, as dpkg would leave it. */
export class PackageTree {
  readonly #entries = new Map<string, OwnedEntry>();
  /** Paths that another package took over, by the package that lost them. */
  readonly #lost = new Map<UnpackedPackage, Set<string>>();

  /**
   * Adds a package's files.
   *
   * @throws {ToolingError} `PATH_CONFLICT` when two packages own a path and neither Replaces the other (policy 7.6).
   */
  addPackage(owner: UnpackedPackage): void {
    for (const entry of owner.entries) {
      const other = this.#entries.get(entry.path);
      if (other === undefined || this.#isTakenOver(other, { entry, owner })) {
        this.#entries.set(entry.path, { entry, owner });
      }
    }
  }

  has(path: string): boolean {
    return this.#entries.has(this.#follow(path));
  }

  get(path: string): ArchiveEntry | undefined {
    return this.#entries.get(path)?.entry;
  }

  /** Paths of the files below a folder (`usr/share/x`), sorted. */
  listFiles(folder: string): readonly string[] {
    const paths = [...this.#entries].filter(
      ([path, { entry }]) => path.startsWith(`${folder}/`) && entry.type === "file",
    );
    return paths.map(([path]) => path).toSorted();
  }

  /** Text of a small file. Absent when there is none. */
  async readText(path: string): Promise<string | undefined> {
    const entry = this.get(this.#follow(path));
    if (entry?.type === "hardlink") return this.readText(entry.target);
    if (entry?.type !== "file") return undefined;
    return Buffer.from(await collectBytes(entry.open(), { limit: 64 * 1024 * 1024 })).toString("utf8");
  }

  /** Puts an entry of our own, in place of what stands there. */
  put(entry: ArchiveEntry): void {
    this.#entries.set(entry.path, { entry });
  }

  /** Puts an entry of our own unless something stands there. */
  putIfAbsent(entry: ArchiveEntry): void {
    if (!this.#entries.has(entry.path)) this.put(entry);
  }

  /** Whether the file of a package was replaced by another package's, so that it is not in its list any more. */
  isLost(owner: UnpackedPackage, path: string): boolean {
    return this.#lost.get(owner)?.has(resolveMergedPath(path)) ?? false;
  }

  /** All entries, in no order. */
  listEntries(): readonly ArchiveEntry[] {
    return [...this.#entries.values()].map(({ entry }) => entry);
  }

  /** Where a path leads when it, or a folder of it, is a link. */
  #follow(path: string, depth = 0): string {
    const plain = resolveMergedPath(path.replace(/^\/+/u, ""));
    const entry = this.get(plain);
    if (entry?.type !== "symlink" || depth > 16) return plain;
    const target = entry.target.startsWith("/") ? entry.target : `${parentPath(plain)}/${entry.target}`;
    return this.#follow(normalize(target), depth + 1);
  }

  #isTakenOver(old: OwnedEntry, young: { entry: ArchiveEntry; owner: UnpackedPackage }): boolean {
    if (young.entry.type === "directory") {
      // dpkg leaves a folder, and a link to one, as the first package made it.
      if (old.entry.type === "directory" || old.entry.type === "symlink") return false;
    } else if (old.entry.type === "directory" && young.entry.type === "symlink") {
      return false;
    }
    if (old.owner === undefined || old.owner === young.owner) return true;
    const youngReplaces = replaces(young.owner, old.owner);
    if (!youngReplaces && !replaces(old.owner, young.owner)) {
      throw new ToolingError(
        "PATH_CONFLICT",
        `packages "${old.owner.name}" and "${young.owner.name}" both own "/${young.entry.path}"`,
        { hint: "Leave one of the two packages out." },
      );
    }
    const loser = youngReplaces ? old.owner : young.owner;
    const lost = this.#lost.get(loser) ?? new Set();
    this.#lost.set(loser, lost.add(young.entry.path));
    return youngReplaces;
  }
}

function replaces(winner: UnpackedPackage, loser: UnpackedPackage): boolean {
  const provided = parseDependencies(loser.control["Provides"] ?? "").flat();
  return parseDependencies(winner.control["Replaces"] ?? "")
    .flat()
    .some(
      ({ name, version }) =>
        (name === loser.name && satisfies(loser.version, version)) ||
        (version === undefined && provided.some((provision) => provision.name === name)),
    );
}

/** Resolves `.` and `..` of a path inside the tree; the root's parent is the root. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
