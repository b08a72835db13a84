// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json. */
export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** One import that leaves its top folder of `src/`. */
export interface Stray {
  /** The importing file, relative to the root. */
  readonly from: string;
  /** The top folder it enters. */
  readonly target: string;
  /** The imported file, relative to the root. */
  readonly path: string;
}

/** The folders of `src/`, sorted. */
export function sourceFolders(): string[] {
  const entries = readdirSync(join(ROOT, "src"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** Source files below a folder (relative to the root, `/`-separated), tests included, sorted. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|mts|mjs|js)$/.test(entry.name))
    .map((entry) => posix.join(folder, relativeTo(folder, join(entry.parentPath, entry.name))))
    .toSorted();
}

/** Files that git would commit: tracked ones, and new ones that no ignore rule covers. */
export function repositoryFiles(): string[] {
  const gone = new Set(gitFiles("--deleted"));
  return gitFiles("--cached", "--others", "--exclude-standard")
    .filter((path) => !gone.has(path))
    .toSorted();
}

/** Reads a file of the repository as text. */
export function readSource(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The imports of a folder of `src/` that enter another one. What unit tests share stands outside of all folders. */
export function importsLeaving(folder: string): Stray[] {
  return sourceFiles(`src/${folder}`).flatMap((from) =>
    importsOf(readSource(from))
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => posix.join(posix.dirname(from), specifier))
      .filter((path) => !path.startsWith(`src/${folder}/`))
      .filter((path) => !(from.endsWith(".test.ts") && path.startsWith("test/support/")))
      .map((path) => ({ from, path, target: path.startsWith("src/") ? (path.split("/")[1] ?? "") : path })),
  );
}

/** Every module specifier in a text: `from "x"`, `import "x"`, `import("x")`, `new URL("x", import.meta.url)`. */
export function importsOf(text: string): string[] {
  const patterns = [
    /\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*["']([^"']+)["']/g,
    /\bimport\s*\(\s*["']([^"']+)["']/g,
    /\bnew URL\(\s*["']([^"']+\.m?[jt]s)["']\s*,\s*import\.meta\.url/g,
  ];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ""));
}

/** The text without comments and without the content of strings, so that words in prose do not count. */
export function codeOf(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, (match) =>
    match.startsWith("/") ? " " : '""',
  );
}

function gitFiles(...args: readonly string[]): string[] {
  return execFileSync("git", ["ls-files", "-z", ...args], { cwd: ROOT, encoding: "utf8" })
    .split("\0")
    .filter((path) => path !== "");
}

function relativeTo(folder: string, path: string): string {
  return path.slice(join(ROOT, folder).length + 1).replaceAll("\\", "/");
}
