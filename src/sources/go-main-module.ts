// SPDX-License-Identifier: Apache-2.0
import { chmod, cp, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LockedGo } from "../catalog/index.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { makeFolder } from "../core/make-folder.ts";
import type { GoModule } from "./go-module.ts";
import { type RunProgramOptions, runProgram } from "./subprocess.ts";

/** A go.mod as data (`go mod edit -json`). */
export interface GoModFile {
  readonly Go?: string;
  readonly Godebug?: readonly { readonly Key: string; readonly Value: string }[] | null;
  readonly Require?:
    | readonly { readonly Path: string; readonly Version: string; readonly Indirect?: boolean }[]
    | null;
  readonly Exclude?: readonly GoModTarget[] | null;
  readonly Replace?: readonly { readonly Old: GoModTarget; readonly New: GoModTarget }[] | null;
}

/** A module in a go.mod. Without a version, `New.Path` is a folder. */
export interface GoModTarget {
  readonly Path: string;
  readonly Version?: string;
}

/** What of a locked tool shapes its main module. */
export type MainModuleRecipe = Pick<LockedGo, "files" | "moduleSum" | "goModSum" | "replace" | "sums">;

/**
 * Reads a go.mod with the toolchain's own parser.
 *
 * @throws {ToolingError} `BUILD_FAILED`
 */
export async function readGoMod(
  goroot: string,
  file: string,
  options: RunProgramOptions,
): Promise<GoModFile> {
  const { exitCode, stdout, errorLines } = await runProgram(
    `${goroot}/bin/go`,
    ["mod", "edit", "-json", file],
    options,
  );
  if (exitCode === 0) return JSON.parse(stdout) as GoModFile;
  throw new ToolingError("BUILD_FAILED", `"${file}" cannot be read: ${errorLines.at(-1) ?? "no output"}`);
}

/**
 * Writes a main module into `folder` that has no code of its own and builds `module` exactly as it would build
 * itself: the same requirements, replacements, exclusions and go.sum, which only count in a main module. The
 * program then still says in its build information which module version it is.
 */
export async function writeMainModule(
  folder: string,
  module: GoModule,
  file: GoModFile,
  recipe: MainModuleRecipe,
): Promise<void> {
  await makeFolder(folder);
  const { files } = recipe;
  if (files !== undefined) await copyModule(module.folder, join(folder, "module"), files);
  await writeFile(join(folder, "go.mod"), formatMainModule(module, file, recipe));
  await writeFile(join(folder, "go.sum"), await mainModuleSums(module, recipe));
}

/** The text of that go.mod. */
export function formatMainModule(
  module: Pick<GoModule, "path" | "version">,
  file: GoModFile,
  { files, replace }: Pick<MainModuleRecipe, "files" | "replace">,
): string {
  const lines = ["module toolbox", "", `go ${file.Go ?? "1.16"}`];
  for (const { Key, Value } of file.Godebug ?? []) lines.push(`godebug ${Key}=${Value}`);
  lines.push(`require ${module.path} ${module.version}`);
  lines.push(
    ...(file.Require ?? []).map(
      ({ Indirect, ...to }) => `require ${pair(to)}${Indirect ? " // indirect" : ""}`,
    ),
  );
  lines.push(...(file.Exclude ?? []).map((target) => `exclude ${pair(target)}`));
  for (const { Old, New } of file.Replace ?? []) {
    const target = New.Version === undefined ? replacedFolder(Old.Path, replace ?? {}) : pair(New);
    if (target !== undefined) lines.push(`replace ${pair(Old)} => ${target}`);
  }
  if (files !== undefined)
    lines.push(`replace ${pair({ Path: module.path, Version: module.version })} => ./module`);
  return `${lines.join("\n")}\n`;
}

/** `PATH VERSION`, or `PATH` for any version. */
function pair({ Path, Version }: GoModTarget): string {
  return Version === undefined ? Path : `${Path} ${Version}`;
}

/** The published module that stands in for a folder, or the folder in our copy of the module. */
function replacedFolder(path: string, replace: Readonly<Record<string, string>>): string | undefined {
  const rule = replace[path];
  if (rule === undefined) return undefined;
  return rule.startsWith("./") ? `./module/${rule.slice(2)}` : `${path} ${rule}`;
}

async function mainModuleSums(module: GoModule, recipe: MainModuleRecipe): Promise<string> {
  const lines = [
    ...(await ownSums(module)),
    `${module.path} ${module.version} ${recipe.moduleSum}`,
    `${module.path} ${module.version}/go.mod ${recipe.goModSum}`,
    ...(recipe.sums ?? []),
  ];
  return `${lines.join("\n")}\n`;
}

/** A module that depends on nothing has no go.sum. */
async function ownSums({ folder }: GoModule): Promise<readonly string[]> {
  try {
    return [(await readFile(join(folder, "go.sum"), "utf8")).trimEnd()];
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
}

/** The module cache is read-only and shared, so additions go into a copy. */
async function copyModule(
  from: string,
  to: string,
  additions: Readonly<Record<string, string>>,
): Promise<void> {
  await cp(from, to, { recursive: true });
  await makeWritable(to);
  for (const [path, content] of Object.entries(additions)) {
    const target = join(to, path);
    await makeFolder(dirname(target));
    await writeFile(target, content);
  }
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}
