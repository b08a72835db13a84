// SPDX-License-Identifier: Apache-2.0

/** Paths that Debian makes links, and where to: whatever stands below them really stands there. */
const ALIASES: readonly (readonly [from: string, to: string])[] = [
  ["bin", "usr/bin"],
  ["lib", "usr/lib"],
  ["lib32", "usr/lib32"],
  ["lib64", "usr/lib64"],
  ["libo32", "usr/libo32"],
  ["libx32", "usr/libx32"],
  ["sbin", "usr/sbin"],
  ["var/lock", "run/lock"],
  ["var/run", "run"],
];

/** Where `path` (relative) really stands on a system with a merged /usr. */
export function resolveMergedPath(path: string): string {
  for (const [from, to] of ALIASES) {
    if (path.startsWith(`${from}/`)) return `${to}${path.slice(from.length)}`;
  }
  return path;
}

/** The path that a directory is at, which for an alias itself is what it leads to. */
export function resolveMergedDirectory(path: string): string {
  return ALIASES.find(([from]) => from === path)?.[1] ?? resolveMergedPath(path);
}

/** The links to folders of /usr, and where they lead, relative to the root. */
export const MERGED_FOLDERS: readonly (readonly [from: string, to: string])[] = ALIASES.filter(([, to]) =>
  to.startsWith("usr/"),
);
