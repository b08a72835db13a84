// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { ToolingError } from "../core/error.ts";
import type { CompileAnswer, CompileTask } from "./compile-worker.mjs";

/** Milliseconds that one module may take. The largest of the standard library takes a tenth of a second. */
const TIMEOUT = 300_000;

/** Characters that are kept of what the process says. */
const LAST_WORDS = 2000;

/** A process that compiles modules, one after the other. It starts with the first. */
export class CompilerProcess {
  #child: ChildProcess | undefined;
  #said = "";
  readonly #env: Readonly<Record<string, string>>;

  /** @param env The environment of the caller. */
  constructor(env: Readonly<Record<string, string | undefined>> = {}) {
    this.#env = loaderVariables(env);
  }

  /**
   * @returns Absent: it is no valid Python, or too deep.
   * @throws {ToolingError} `BUILD_FAILED`
   */
  async compile(task: CompileTask, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted();
    const child = (this.#child ??= this.#start());
    try {
      const { compiled, isBroken } = await ask(child, task, signal);
      if (isBroken === true) this.close();
      return compiled;
    } catch (error) {
      signal?.throwIfAborted();
      const [reason = String(error)] = /^\w*Error: .*$/m.exec(this.#said) ?? [];
      throw new ToolingError("BUILD_FAILED", `Python module "${task.path}" cannot be compiled: ${reason}`, {
        hint: "See that 300 MB of memory are free, and build again.",
        cause: error,
      });
    }
  }

  /** Ends the process; it is started again when there is more to compile. */
  close(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  /** With hardly an environment, because variables such as NODE_OPTIONS are not meant for it. */
  #start(): ChildProcess {
    const child = fork(new URL("./compile-worker.mjs", import.meta.url), {
      env: this.#env,
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said = `${this.#said}${text}`.slice(-LAST_WORDS);
    });
    return child;
  }
}

/** What a Node.js outside of the usual places needs to be started: where its libraries are, on its own CPU or emulated. */
export function loaderVariables(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const found = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "QEMU_LD_PREFIX"].map((name) => [name, env[name]]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined)) as Record<string, string>;
}

async function ask(
  child: ChildProcess,
  task: CompileTask,
  signal: AbortSignal | undefined,
): Promise<CompileAnswer> {
  const settled = new AbortController();
  const until = AbortSignal.any([settled.signal, AbortSignal.timeout(TIMEOUT), ...(signal ? [signal] : [])]);
  const answered = once(child, "message", { signal: until }).then(([answer]) => answer as CompileAnswer);
  const ended = once(child, "close", { signal: until }).then(([code, by]): never => {
    throw new Error(`the compiler ended with ${by ?? code}`);
  });
  try {
    child.send(task);
    return await Promise.race([answered, ended]);
  } finally {
    settled.abort();
    await Promise.allSettled([answered, ended]);
  }
}
