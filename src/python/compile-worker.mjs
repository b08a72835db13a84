// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Compiles Python modules, and runs none. A process of its own, because CPython takes 180 MB that are not to stay with a
 * build; in it a thread, because only threads can be given a stack that is so deep that CPython's own limits always come
 * first. Those of Node.js differ from release to release, and with them would the modules that are too deep to compile.
 */
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { loadCompiler } from "./load-compiler.mjs";

/**
 * A module to compile.
 * @typedef {{ path: string, source: Uint8Array }} CompileTask
 */

/**
 * `compiled` is absent when the module is no valid Python, or too deep. `isBroken`: the interpreter cannot go on.
 * @typedef {{ compiled?: Uint8Array | undefined, isBroken?: boolean }} CompileAnswer
 */

/** The thread's memory in MiB. What it does not use of its stack it does not take; WebAssembly lies outside of its heap. */
const LIMITS = { stackSizeMb: 256, maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

if (isMainThread) relay();
else await answer();

function relay() {
  const thread = new Worker(new URL(import.meta.url), { resourceLimits: LIMITS });
  process.on("message", (task) => thread.postMessage(task, []));
  thread.on("message", (answer) => process.send?.(answer));
  // Whoever started us decides when we end; Ctrl-C goes to all processes of a terminal.
  process.on("SIGINT", () => {});
  process.on("disconnect", () => void thread.terminate());
  thread.on("exit", () => process.channel && process.disconnect());
}

async function answer() {
  const { compileModule } = await loadCompiler();
  parentPort?.on("message", (/** @type {CompileTask} */ { path, source }) => {
    parentPort?.postMessage(tryCompile(compileModule, path, source), []);
  });
}

/**
 * @param {(path: string, source: Uint8Array) => Uint8Array | undefined} compileModule
 * @param {string} path
 * @param {Uint8Array} source
 * @returns {CompileAnswer}
 */
function tryCompile(compileModule, path, source) {
  try {
    return { compiled: compileModule(path, source) };
  } catch (error) {
    // A trap of WebAssembly: CPython had no limit there. It comes at the same depth on every host.
    if (error instanceof Error && error.name === "RuntimeError") return { isBroken: true };
    throw error;
  }
}
