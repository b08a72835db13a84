// SPDX-License-Identifier: Apache-2.0
import {
  type ArchiveEntry,
  comparePaths,
  type FileEntry,
  fileEntryOf,
  sortEntries,
} from "../../archive/index.ts";
import type { LockedNpm } from "../../catalog/index.ts";
import { collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import type { Platform } from "../../core/platform.ts";
import type { ModuleFile } from "./module-archive.ts";
import { rewriteShebang } from "./node-script.ts";
import { readPackageJson } from "./package-json.ts";
import { isForTarget } from "./prebuilt-files.ts";

/** A package that is laid into a tool's folder. */
export interface InstalledModule {
  /** `node_modules/a/node_modules/b`. */
  readonly path: string;
  /** Such as `a 1.0.0`, for errors. */
  readonly title: string;
  readonly files: readonly ModuleFile[];
}

/** Where and what to install. */
export type InstallModulesOptions = Pick<LockedNpm, "tool" | "programsOf" | "binaries"> & {
  readonly platform: Platform;
};

const MOST_SCRIPT_BYTES = 64 * 1024 * 1024;

/**
 * The files of a tool as they stand in an image: `/opt/TOOL/lib/node_modules` as npm would make it, the programs of
 * what was wished in `/opt/TOOL/bin`, and the tool's own on PATH.
 *
 * @returns sorted, parents first
 * @throws {ToolingError} `ARCHIVE_INVALID`, `PATH_CONFLICT`
 */
export async function installModules(
  modules: readonly InstalledModule[],
  options: InstallModulesOptions,
): Promise<readonly ArchiveEntry[]> {
  const root = `opt/${options.tool}`;
  const owners = new Map<string, string>();
  const entries: FileEntry[] = [];
  const found = new Map<string, Readonly<Record<string, string>>>();
  for (const module of modules.toSorted((a, b) => comparePaths(a.path, b.path))) {
    const { programs } = await readPackageJson(module.files, module.title);
    found.set(module.path, programs);
    const executables = new Set(Object.values(programs));
    for (const file of module.files) {
      if (!isForTarget(file.path, options)) continue;
      const path = `${root}/lib/${module.path}/${file.path}`;
      claim(path, module.title, owners);
      entries.push(executables.has(file.path) ? await programOf(file, path) : fileOf(file, path));
    }
  }
  const programs = choosePrograms(found, options, (path) => owners.has(`${root}/lib/${path}`));
  return sortEntries([
    ...entries,
    ...[...programs].map(([name, path]) => link(`${root}/bin/${name}`, `../lib/${path}`)),
    ...options.binaries.map((binary) => {
      if (!programs.has(binary)) throw noProgram(binary, options);
      return link(`usr/local/bin/${binary}`, `/${root}/bin/${binary}`);
    }),
  ]);
}

/** Programs of what was wished, by name. Of two packages with one of that name, the one that was named first has it. */
function choosePrograms(
  found: ReadonlyMap<string, Readonly<Record<string, string>>>,
  { programsOf }: InstallModulesOptions,
  isThere: (path: string) => boolean,
): ReadonlyMap<string, string> {
  const chosen = new Map<string, string>();
  for (const name of programsOf) {
    for (const [program, file] of Object.entries(found.get(`node_modules/${name}`) ?? {})) {
      const path = `node_modules/${name}/${file}`;
      if (!chosen.has(program) && isThere(path)) chosen.set(program, path);
    }
  }
  return chosen;
}

/** A package that brings others along may only have them where the tree has room. */
function claim(path: string, title: string, owners: Map<string, string>): void {
  const other = owners.get(path);
  if (other !== undefined) {
    throw new ToolingError("PATH_CONFLICT", `"${other}" and "${title}" both hold "${path}"`, {
      hint: "Choose versions of the two that go together.",
    });
  }
  owners.set(path, title);
}

async function programOf(file: ModuleFile, path: string): Promise<FileEntry> {
  if (file.size > MOST_SCRIPT_BYTES) return { ...fileOf(file, path), mode: 0o755 };
  return fileEntryOf(path, rewriteShebang(await collectBytes(file.open())), { mode: 0o755 });
}

function fileOf({ isExecutable, size, open }: ModuleFile, path: string): FileEntry {
  return { type: "file", path, mode: isExecutable ? 0o755 : 0o644, uid: 0, gid: 0, size, open };
}

function link(path: string, target: string): ArchiveEntry {
  return { type: "symlink", path, target, mode: 0o777, uid: 0, gid: 0 };
}

function noProgram(binary: string, { tool, programsOf }: InstallModulesOptions): ToolingError {
  const names = programsOf.map((name) => `"${name}"`).join(" and ");
  return new ToolingError("ARCHIVE_INVALID", `tool "${tool}" has no program "${binary}" in ${names}`, {
    hint: 'Correct "binaries" in the definition of the tool, or name the package that has it under "requirements".',
  });
}
