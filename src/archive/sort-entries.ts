// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { ArchiveEntry, FileEntry } from "./archive-entry.ts";
import { comparePaths, isEntryPath, parentPath } from "./entry-path.ts";

/**
 * The entries as one tree in the order in which writeTar takes them: code-unit order, so parents first.
 * Missing parent directories are added (`0o755`, 0:0), equal directories become one, and of several names of one
 * file the first in order carries the content.
 *
 * @throws {ToolingError} `PATH_CONFLICT` when two entries claim one path, or one needs a directory where another is none.
 */
export function sortEntries(entries: Iterable<ArchiveEntry>): ArchiveEntry[] {
  const byPath = new Map<string, ArchiveEntry>();
  for (const entry of entries) addEntry(byPath, entry);
  for (const path of byPath.keys()) addParents(byPath, path);
  orderLinks(byPath);
  return [...byPath.values()].sort((a, b) => comparePaths(a.path, b.path));
}

function addEntry(byPath: Map<string, ArchiveEntry>, entry: ArchiveEntry): void {
  if (!isEntryPath(entry.path)) {
    throw new ToolingError("ARCHIVE_UNSAFE", `"${entry.path}" is not a path inside an archive`);
  }
  const other = byPath.get(entry.path);
  if (other !== undefined && !areSameDirectory(other, entry)) {
    throw conflict(`"${entry.path}" is written twice`, "Leave one of the two out.");
  }
  byPath.set(entry.path, entry);
}

function areSameDirectory(a: ArchiveEntry, b: ArchiveEntry): boolean {
  if (a.type !== "directory" || b.type !== "directory") return false;
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

function addParents(byPath: Map<string, ArchiveEntry>, path: string): void {
  for (let parent = parentPath(path); parent !== ""; parent = parentPath(parent)) {
    const existing = byPath.get(parent);
    if (existing === undefined) {
      byPath.set(parent, { type: "directory", path: parent, mode: 0o755, uid: 0, gid: 0 });
    } else if (existing.type !== "directory") {
      throw conflict(
        `"${path}" needs "${parent}" to be a directory, but it is a ${existing.type}`,
        "Rename one of the two.",
      );
    }
  }
}

/** A reader can only link to what it has already seen, so the first name must be the one with the content. */
function orderLinks(byPath: Map<string, ArchiveEntry>): void {
  const names = new Map<FileEntry, string[]>();
  for (const entry of byPath.values()) {
    if (entry.type !== "hardlink") continue;
    const file = resolveLink(byPath, entry.path);
    names.set(file, [...(names.get(file) ?? [file.path]), entry.path]);
  }
  for (const [file, paths] of names) {
    const [first = file.path, ...others] = paths.sort(comparePaths);
    byPath.set(first, { ...file, path: first });
    const { mode, uid, gid } = file;
    for (const path of others) byPath.set(path, { type: "hardlink", path, target: first, mode, uid, gid });
  }
}

function resolveLink(byPath: ReadonlyMap<string, ArchiveEntry>, path: string): FileEntry {
  const seen = new Set<string>();
  let entry = byPath.get(path);
  while (entry?.type === "hardlink" && !seen.has(entry.path)) {
    seen.add(entry.path);
    entry = byPath.get(entry.target);
  }
  if (entry?.type === "file") return entry;
  throw conflict(
    `"${path}" is a hard link to something that is not a file of this archive`,
    "Write it as a file of its own.",
  );
}

function conflict(message: string, hint: string): ToolingError {
  return new ToolingError("PATH_CONFLICT", message, { hint });
}
