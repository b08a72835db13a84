// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LockedGo } from "../catalog/index.ts";
import { describeWriteFailure } from "../core/atomic-file.ts";
import { withFileLock } from "../core/file-lock.ts";
import type { Platform } from "../core/platform.ts";
import { cacheChangedModule } from "./go-changed-module.ts";
import { fetchDependencies, importPath, tagFlags } from "./go-dependencies.ts";
import { compileEnvironment, downloadEnvironment, goFolders } from "./go-environment.ts";
import { describeCompileFailure } from "./go-failure.ts";
import { readGoMod, writeMainModule } from "./go-main-module.ts";
import { checkModuleSums, fetchGoModule } from "./go-module.ts";
import { trimObjects } from "./go-object-cache.ts";
import { ensureToolchain } from "./go-toolchain.ts";
import { type CachedProgram, programFolder, publishProgram, readProgram } from "./program-cache.ts";
import { runProgram } from "./subprocess.ts";
import type { SourceContext } from "./tool-source.ts";

/** Parts of the cache key, for a module with added files and for others: raise one when what is built changes. */
const RECIPES = { asPublished: 1, changed: 2 };
const LEFTOVER = "build-";
const LOCK_TIMEOUT = 6 * 60 * 60_000;

/**
 * The program that a locked Go tool compiles to, from the cache or compiled now. One compile at a time on this
 * machine: each uses all its cores.
 *
 * @throws {ToolingError} `BUILD_FAILED`, `CHECKSUM_MISMATCH`, `TOOLCHAIN_UNAVAILABLE`, `DISK_FULL`, and what the
 * fetcher throws
 */
export async function buildGoProgram(
  locked: LockedGo,
  platform: Platform,
  context: SourceContext,
): Promise<CachedProgram> {
  const builds = join(context.cacheDir, "go-builds");
  // Who vouched for the hash makes no difference to the bytes.
  const { unconfirmed: _, ...ingredients } = locked;
  const recipe = locked.files === undefined ? RECIPES.asPublished : RECIPES.changed;
  const folder = programFolder(builds, { recipe, locked: ingredients, platform });
  const what = describeBuild(locked, platform);
  const known = await readProgram(folder);
  if (known !== undefined) {
    context.onProgress?.({ type: "finished", what, skipped: true });
    return known;
  }
  try {
    return await withFileLock(
      join(builds, "compile.lock"),
      { timeout: LOCK_TIMEOUT, signal: context.signal },
      async () => {
        const arrived = await readProgram(folder);
        return arrived ?? (await compileInto(folder, locked, platform, context));
      },
    );
  } catch (error) {
    throw describeWriteFailure(error, builds);
  }
}

function describeBuild(locked: LockedGo, platform: Platform): string {
  return `compile ${locked.binary} ${locked.version} for ${platform}`;
}

async function compileInto(
  folder: string,
  locked: LockedGo,
  platform: Platform,
  context: SourceContext,
): Promise<CachedProgram> {
  const goroot = await ensureToolchain({ version: locked.toolchain, sums: locked.toolchainSums }, context);
  const { toolchain, moduleSum, goModSum } = locked;
  const module = await fetchGoModule(
    locked.module,
    locked.version,
    { goroot, toolchain, isPinned: true },
    context,
  );
  checkModuleSums(module, moduleSum, goModSum);
  const works = goFolders(context.cacheDir).work;
  await removeLeftovers(works);
  const work = await mkdtemp(join(works, LEFTOVER));
  try {
    const env = await downloadEnvironment(goroot, context);
    const goMod = await readGoMod(goroot, join(module.folder, "go.mod"), {
      cwd: work,
      env,
      signal: context.signal,
    });
    const main = join(work, "main");
    await writeMainModule(main, module, goMod, locked);
    const packages = await fetchDependencies({ folder: main, goroot }, locked, platform, context);
    const output = join(work, "out", locked.binary);
    const shared = goFolders(context.cacheDir).modules;
    const modules =
      locked.files === undefined
        ? shared
        : await cacheChangedModule({ main, module, goMod, modules: shared }, locked, work);
    await compile({ main, modules, output, goroot, packages }, locked, platform, context);
    const program = await publishProgram(output, folder);
    await trimObjects(goFolders(context.cacheDir).objects);
    return program;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Nobody else compiles now, so what lies there is a killed run's. */
async function removeLeftovers(works: string): Promise<void> {
  const names = (await readdir(works)).filter((name) => name.startsWith(LEFTOVER));
  await Promise.all(names.map((name) => rm(join(works, name), { recursive: true, force: true })));
}

interface Compilation {
  readonly main: string;
  /** The module cache, for GOMODCACHE. */
  readonly modules: string;
  readonly output: string;
  readonly goroot: string;
  /** How many packages there are, for progress. */
  readonly packages: number;
}

async function compile(
  { main, modules, output, goroot, packages }: Compilation,
  locked: LockedGo,
  platform: Platform,
  context: SourceContext,
): Promise<void> {
  const what = describeBuild(locked, platform);
  let done = 0;
  context.onProgress?.({ type: "started", what, total: packages, counted: "packages" });
  const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-v", ...tagFlags(locked)];
  if (locked.ldflags.length > 0) flags.push(`-ldflags=${locked.ldflags.join(" ")}`);
  const env = await compileEnvironment(goroot, platform, context);
  const result = await runProgram(`${goroot}/bin/go`, ["build", ...flags, "-o", output, importPath(locked)], {
    cwd: main,
    env: { ...env, GOMODCACHE: modules, GOTMPDIR: dirname(main) },
    signal: context.signal,
    onErrorLine: (line) => {
      if (/^[\w./~-]+$/.test(line)) context.onProgress?.({ type: "advanced", what, done: (done += 1) });
    },
  });
  if (result.exitCode !== 0) {
    const said = result.errorLines.filter((line) => !/^[\w./~-]+$/.test(line));
    throw describeCompileFailure(`${locked.module}@${locked.version}`, said.join("\n"), locked.toolchain);
  }
  context.onProgress?.({ type: "finished", what, skipped: false });
}
