// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type ProgramResult, ROOT, runProgram, type RunProgramOptions } from "./programs.ts";

/** The compiled command line: what the package installs as `toolbox`. */
export const TOOLBOX: string = join(ROOT, "dist", "cli", "main.js");

/** What the command line keeps of downloads and builds, for everybody. */
export const TOOLBOX_CACHE: string =
  process.env["TOOLBOX_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "toolbox");

/** The workspace whose images the end-to-end tests look at. */
export const QUICKSTART: string = join(ROOT, "examples", "quickstart");

/** Where the quickstart keeps its layers, so that tests and the tour build each of them once. */
export const QUICKSTART_STORE: string = join(
  process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  "toolbox",
  "quickstart-store",
);

/** Runs `toolbox` as a user would, without input. Never rejects for its exit code. */
export async function runToolbox(
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<ProgramResult> {
  return runProgram(process.execPath, [TOOLBOX, ...args], options);
}

/** What `toolbox build --json` prints of one layer. */
export interface ReportedLayer {
  readonly name: string;
  readonly kind: "base" | "tool" | "top";
  readonly diffID: string;
  readonly digest: string;
  readonly size: number;
  readonly cached: boolean;
}

/** What `toolbox build --json` prints of one image. */
export interface ReportedImage {
  readonly name: string;
  readonly index: { readonly digest: string };
  readonly platforms: readonly {
    readonly platform: string;
    readonly manifest: { readonly digest: string };
    readonly layers: readonly ReportedLayer[];
  }[];
}

/** Runs `toolbox` in the quickstart's workspace, on its store. Never rejects for its exit code. */
export async function runInQuickstart(args: readonly string[]): Promise<ProgramResult> {
  return runToolbox(args, { cwd: QUICKSTART, timeout: 900_000, env: { TOOLBOX_STORE: QUICKSTART_STORE } });
}

/** Builds the quickstart's image. What is there already is not built again, so every test file may call it. */
export async function buildQuickstart(): Promise<ReportedImage> {
  const { code, stdout, stderr } = await runInQuickstart(["build", "--frozen", "--json"]);
  if (code !== 0) throw new Error(`the quickstart does not build: ${stdout}${stderr}`);
  const { images } = JSON.parse(stdout) as { images: readonly ReportedImage[] };
  const [image] = images;
  if (image === undefined) throw new Error("the quickstart has no image");
  return image;
}

/** A running embedded registry. */
export interface RunningRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly stop: () => Promise<void>;
}

/** Optional parts of {@link serveRegistry}. */
export interface ServeRegistryOptions {
  /** More arguments. */
  readonly args?: readonly string[];
  /** Added to the environment of the tests; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The file that takes what it says on stderr. Absent: the stderr of the tests. */
  readonly log?: string;
}

/** Starts `toolbox registry serve` over a folder, on a port that the kernel chooses. */
export async function serveRegistry(
  folder: string,
  { args = [], env = {}, log }: ServeRegistryOptions = {},
): Promise<RunningRegistry> {
  const output = log === undefined ? undefined : openSync(log, "a");
  const child = spawn(
    process.execPath,
    [TOOLBOX, "registry", "serve", "--listen", "127.0.0.1:0", "--store", folder, ...args],
    { stdio: ["ignore", "pipe", output ?? "inherit"], env: { ...process.env, ...env } },
  );
  if (output !== undefined) closeSync(output);
  return { host: await readHost(child), stop: async () => stopChild(child) };
}

async function readHost(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the registry has no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const host = /127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (host === undefined) continue;
    child.stdout.resume();
    return host;
  }
  throw new Error("the registry ended before it said where it listens");
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await closed;
}
