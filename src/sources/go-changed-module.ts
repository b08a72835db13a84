// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readdir, rename, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { LockedGo } from "../catalog/index.ts";
import { readFileContent } from "../core/file-content.ts";
import { makeFolder } from "../core/make-folder.ts";
import { type GoModFile, writeMainModule } from "./go-main-module.ts";
import type { GoModule } from "./go-module.ts";
import { hashTree } from "./module-archive.ts";

/** A main module whose copy of the tool's module has files added to it, and everything it needs is downloaded. */
export interface ChangedModule {
  /** Folder that {@link writeMainModule} wrote. */
  readonly main: string;
  readonly module: GoModule;
  readonly goMod: GoModFile;
  /** The module cache that the rest comes from (GOMODCACHE). */
  readonly modules: string;
}

/**
 * Turns the copy beside a main module into a version of the module in a cache of its own, whose every other entry is a
 * link into the one that all compiles share. A module that is replaced by a folder has no version in a program's
 * build information, and scanners do not know it; this one has its version, and the hash of what it now consists of.
 *
 * @returns the folder of that cache, in `work`, for GOMODCACHE
 */
export async function cacheChangedModule(
  { main, module, goMod, modules }: ChangedModule,
  locked: LockedGo,
  work: string,
): Promise<string> {
  const cache = join(work, "mod");
  // Both paths are written the way the cache escapes them (go.dev/ref/mod#module-cache).
  const tree = relative(modules, module.folder);
  const records = join("cache/download", tree.slice(0, tree.lastIndexOf("@")), "@v");
  const hashFile = `${module.version}.ziphash`;
  await linkAround(modules, cache, [tree, join(records, hashFile)]);

  const copy = join(main, "module");
  await rename(copy, join(cache, tree));
  const moduleSum = await sumFolder(join(cache, tree), `${module.path}@${module.version}`);
  await writeFile(join(cache, records, hashFile), moduleSum);

  const { files: _, ...recipe } = locked;
  await writeMainModule(main, module, goMod, { ...recipe, moduleSum });
  // For modules that the tool takes from a folder of its own.
  await symlink(join(cache, tree), copy);
  return cache;
}

/** Makes `to` a folder of links to what `from` holds, without `paths`; the folders above these are real. */
async function linkAround(from: string, to: string, paths: readonly string[]): Promise<void> {
  await makeFolder(to);
  for (const name of await readdir(from)) {
    const below = paths
      .filter((path) => path.startsWith(`${name}/`))
      .map((path) => path.slice(name.length + 1));
    if (below.length > 0) await linkAround(join(from, name), join(to, name), below);
    else if (!paths.includes(name)) await symlink(join(from, name), join(to, name));
  }
}

/** Hash `h1:` of a folder as the tree of the module version `prefix`. */
async function sumFolder(folder: string, prefix: string): Promise<string> {
  const digests = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const hash = createHash("sha256");
    for await (const chunk of readFileContent(path)) hash.update(chunk);
    digests.set(`${prefix}/${relative(folder, path)}`, hash.digest("hex"));
  }
  return hashTree(digests);
}
