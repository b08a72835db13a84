// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import { collectBytes, type LentBytes } from "../core/byte-stream.ts";
import { forEachConcurrently } from "../core/concurrency.ts";
import type { OperationOptions } from "../core/operation.ts";
import { CompilerProcess } from "./compiler-process.ts";
import { findCompiled, moduleKey, openCompiled, writeCompiled } from "./module-cache.ts";

/** The source of a module. */
export interface ModuleSource {
  /** Where it stands in the image, absolute: tracebacks name it. */
  readonly path: string;
  /** Bytes that `open()` yields. */
  readonly size: number;
  readonly open: () => LentBytes;
}

/** The content of a module's cache file. */
export interface CompiledModule {
  /** Bytes that `open()` yields. */
  readonly size: number;
  /** May be called more than once. @throws {ToolingError} `DIGEST_MISMATCH` from the content: somebody changed our cache */
  readonly open: () => LentBytes;
}

/** How to compile. */
export interface CompileModulesOptions extends OperationOptions {
  /** What earlier builds compiled is kept here. Absolute. */
  readonly cacheDir: string;
  /** Names the work for progress: `Python modules of aws linux/amd64`. */
  readonly what: string;
  /** The environment of the caller, of which the compiler sees where libraries are. Absent: they are in the usual places. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Larger sources are data in Python's clothes: to compile one takes hundreds of megabytes. Bytes. */
const LARGEST_SOURCE = 2 * 1024 * 1024;

/** A process takes two seconds to start: as long as it takes to compile this many bytes of source twice. */
const ENOUGH_FOR_TWO = 8 * 1024 * 1024;

/**
 * Compiles modules, each alone: the result is the same whatever else is compiled, and where. What an earlier build
 * compiled, for whichever CPU, is not compiled again.
 *
 * @returns by path; without those that are no valid Python of the series, and very large ones
 * @throws {ToolingError} `BUILD_FAILED`, `DISK_FULL`, `FILE_UNWRITABLE`
 */
export async function compileModules(
  modules: readonly ModuleSource[],
  { cacheDir, what, env, signal, onProgress }: CompileModulesOptions,
): Promise<ReadonlyMap<string, CompiledModule>> {
  const compiled = new Map<string, CompiledModule>();
  const note = (path: string, key: string, size: number): void => {
    if (size > 0) compiled.set(path, { size, open: () => openCompiled(cacheDir, key) });
  };
  const missing: MissingModule[] = [];
  for (const module of modules) {
    signal?.throwIfAborted();
    if (module.size > LARGEST_SOURCE) continue;
    const key = await moduleKey(module.path, module.open());
    const known = await findCompiled(cacheDir, key);
    if (known === undefined) missing.push({ ...module, key });
    else note(module.path, key, known);
  }
  if (missing.length === 0) return compiled;
  onProgress?.({ type: "started", what, total: missing.length, counted: "modules" });
  let done = 0;
  await compileEach(missing, { env, signal }, async ({ path, key }, content = new Uint8Array()) => {
    await writeCompiled(cacheDir, key, content);
    note(path, key, content.byteLength);
    onProgress?.({ type: "advanced", what, done: (done += 1) });
  });
  onProgress?.({ type: "finished", what, skipped: false });
  return compiled;
}

interface MissingModule extends ModuleSource {
  /** What it is kept by. */
  readonly key: string;
}

/** Gives each module and what became of it. */
async function compileEach(
  modules: readonly MissingModule[],
  { env, signal }: Pick<CompileModulesOptions, "env" | "signal">,
  keep: (module: MissingModule, compiled: Uint8Array | undefined) => Promise<void>,
): Promise<void> {
  const bytes = modules.reduce((sum, { size }) => sum + size, 0);
  const limit = bytes < ENOUGH_FOR_TWO ? 1 : Math.min(2, availableParallelism());
  const processes = Array.from({ length: limit }, () => new CompilerProcess(env));
  const queue = modules.values();
  try {
    await forEachConcurrently(processes, { limit, signal }, async (process, either) => {
      for (const module of queue) {
        const source = await collectBytes(module.open());
        await keep(module, await process.compile({ path: module.path, source }, either));
      }
    });
  } finally {
    for (const process of processes) process.close();
  }
}
