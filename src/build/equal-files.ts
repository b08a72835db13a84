// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { type ArchiveEntry, type FileEntry, sortEntries } from "../archive/index.ts";

/** Smaller files are not worth a link. Bytes. */
const SMALLEST = 4096;

/** Where programs and their data stand: nobody writes into these files, as people do below /etc or /var. */
const READ_ONLY = /^(?:usr|opt)\//;

/**
 * Gives a content that several files of a layer have to the first of them, and makes the others hard links to it: git's
 * package alone has nine megabytes twice. Engines break such a link when one of its names is written to.
 *
 * @param entries Sorted.
 */
export async function linkEqualFiles(
  entries: readonly ArchiveEntry[],
  signal?: AbortSignal,
): Promise<readonly ArchiveEntry[]> {
  const alike = new Map<string, FileEntry[]>();
  for (const entry of entries.filter(isCandidate)) {
    const key = [entry.size, entry.mode, entry.uid, entry.gid].join(" ");
    const others = alike.get(key);
    if (others === undefined) alike.set(key, [entry]);
    else others.push(entry);
  }
  const links = new Map<string, string>();
  for (const files of alike.values()) {
    if (files.length > 1) await findLinks(files, links, signal);
  }
  if (links.size === 0) return entries;
  return sortEntries(
    entries.map((entry): ArchiveEntry => {
      const target = links.get(entry.path);
      if (target === undefined) return entry;
      const { path, mode, uid, gid } = entry;
      return { type: "hardlink", path, target, mode, uid, gid };
    }),
  );
}

function isCandidate(entry: ArchiveEntry): entry is FileEntry {
  return entry.type === "file" && entry.size >= SMALLEST && READ_ONLY.test(entry.path);
}

async function findLinks(
  files: readonly FileEntry[],
  links: Map<string, string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const firsts = new Map<string, string>();
  for (const { path, open } of files) {
    const hash = createHash("sha256");
    for await (const chunk of open()) {
      signal?.throwIfAborted();
      hash.update(chunk);
    }
    const content = hash.digest("hex");
    const first = firsts.get(content);
    if (first === undefined) firsts.set(content, path);
    else links.set(path, first);
  }
}
