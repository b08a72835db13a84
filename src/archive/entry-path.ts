// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";

const WINDOWS_ROOT = /^(?:[A-Za-z]:[\\/]|\\)/;

/**
 * Path of an archive member as we use it: `./` and trailing slashes removed, repeated slashes made one.
 * The root itself (`./`) gives `""`.
 *
 * @throws {ToolingError} `ARCHIVE_UNSAFE` for absolute paths, `..` (with either slash), NUL and Windows roots.
 */
export function normalizeMemberPath(path: string): string {
  const problem = problemOf(path);
  if (problem !== undefined) throw unsafe(path, problem);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.join("/");
}

/** Whether `path` has the shape that an archive entry asks for: what a reader gives back unchanged. */
export function isEntryPath(path: string): boolean {
  if (problemOf(path) !== undefined) return false;
  return path.split("/").every((part) => part !== "" && part !== ".");
}

function problemOf(path: string): string | undefined {
  if (path.startsWith("/") || WINDOWS_ROOT.test(path)) return "is absolute";
  if (path.includes("\0")) return "holds a NUL byte";
  return path.split(/[\\/]/).includes("..") ? 'climbs out with ".."' : undefined;
}

/** Code-unit order, in which a directory always stands before what it holds. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The path of the directory that holds `path`; `""` for the root. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function unsafe(path: string, why: string): ToolingError {
  return new ToolingError("ARCHIVE_UNSAFE", `archive member "${path}" ${why}`, {
    hint: "Do not use this archive; tell whoever made it.",
  });
}
