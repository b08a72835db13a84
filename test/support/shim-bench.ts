// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openLayoutStore } from "../../src/oci/index.ts";
import type { Caller } from "./engine-bench.ts";
import { putEngineImage } from "./engine-image.ts";
import { makeFolder, outputOf } from "./programs.ts";
import { readableRoot } from "./readable-root.ts";

/** With this, Node.js does not start: what works all the same needed none. */
const NO_NODE = { NODE_OPTIONS: "--no-such-option" };

/** The commands that stand on PATH. The last one is not in the image. */
const TOOLS = ["bash", "cat", "env", "printf", "pwd", "sh", "stty", "yes", "no-such-command"];

/** What shims are made for. */
export interface ShimBenchOptions {
  readonly engine: string;
  readonly caller: Caller;
  /** What the engine's client needs. */
  readonly env: Readonly<Record<string, string>>;
  /** `session.env` of the lock. */
  readonly wishes: readonly string[];
  /** Whether `toolbox up` keeps a container. */
  readonly warm: boolean;
}

/** How a shim ended. */
interface ShimResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Optional parts of {@link ShimBench.run}. */
export interface ShimRunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
  readonly onStart?: (child: ChildProcess) => void;
}

/** Shims whose launcher is made already, so that none of them starts Node.js. */
export interface ShimBench {
  readonly workspace: string;
  /** The whole environment of the shims. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the shims are. */
  readonly folder: string;
  run(tool: string, args: readonly string[], options?: ShimRunOptions): Promise<ShimResult>;
  remove(): Promise<void>;
}

/** Makes a workspace with shims, everything in it owned by the caller. */
export async function openShimBench(options: ShimBenchOptions): Promise<ShimBench> {
  const { engine, caller, wishes, warm } = options;
  const folder = await makeFolder("shims");
  const workspace = join(folder.path, "sh op, ü");
  await mkdir(join(workspace, "charts", "web"), { recursive: true });
  await mkdir(join(folder.path, "home"));
  const store = await openLayoutStore(join(folder.path, "store"));
  await store.tag("tools:latest", await putEngineImage(store));
  const session = { image: "tools", mounts: [], env: wishes, credentials: [] };
  const lock = { lockVersion: 1, images: { tools: { tools: [] } }, session };
  await writeFile(join(workspace, "toolbox.lock"), JSON.stringify(lock));
  await chmod(folder.path, 0o755);
  await outputOf("chown", ["-R", `${caller.uid}:${caller.gid}`, folder.path]);
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(folder.path, "home"),
    TOOLBOX_ENGINE: engine,
    TOOLBOX_STORE: join(folder.path, "store"),
    ...options.env,
  };
  const shims = join(folder.path, "bin");
  const run: ShimBench["run"] = (tool, args, { cwd = workspace, env, input, onStart } = {}) => {
    const child = spawn(join(shims, tool), args, {
      cwd,
      env: { ...environment, ...NO_NODE, ...env },
      ...caller,
    });
    onStart?.(child);
    return collect(child, input ?? new Uint8Array());
  };
  const toolbox = async (...args: string[]): Promise<string> =>
    outputOf(process.execPath, [join(readableRoot(), "dist/cli/main.js"), ...args], {
      cwd: workspace,
      env: onlyThese(environment),
      ...caller,
    });
  await toolbox("shims", "install", "--force", "--dir", shims, ...TOOLS);
  if (warm) await toolbox("up");
  // The first call goes through toolbox, which writes the launcher.
  const first = await run("printf", ["%s", "there"], { env: { NODE_OPTIONS: "" } });
  if (first.stdout.toString() !== "there") throw new Error(`no launcher was made: ${first.stderr}`);
  return {
    workspace,
    folder: shims,
    env: { ...environment, ...NO_NODE },
    run,
    async remove() {
      if (warm) await toolbox("down");
      await folder.remove();
    },
  };
}

function onlyThese(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])), ...env };
}

async function collect(child: ReturnType<typeof spawn>, input: Uint8Array): Promise<ShimResult> {
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // A command may end without reading its input.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode, signal) => resolve(exitCode ?? (signal === null ? -1 : -2)));
  });
  return { code, stdout: Buffer.concat(stdout), stderr };
}
