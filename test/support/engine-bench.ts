// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { openLayoutStore } from "../../src/oci/index.ts";
import type { SessionRequest } from "../../src/session/index.ts";
import { putEngineImage } from "./engine-image.ts";
import { ROOT } from "./programs.ts";
import { readableRoot } from "./readable-root.ts";

const run = promisify(execFile);

/** Who calls the engine. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
}

/** What differs between engines under test. */
export interface BenchOptions {
  readonly engine: string;
  readonly caller: Caller;
  /** Added to the driver's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a session ended, as its caller sees it. */
export interface SessionResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What a session is planned from besides its command. */
export interface BenchSession extends Partial<SessionRequest> {
  /** Credentials that the session names. */
  readonly credentials?: readonly string[];
  /** The host's zone file. Absent: it has none. */
  readonly localtime?: string;
}

/** Optional parts of {@link EngineBench.run}. */
export interface BenchRunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sent to stdin, which is then closed. Absent: it is closed at once. */
  readonly input?: Uint8Array | Promise<Uint8Array>;
  readonly session?: BenchSession;
  /** A program that gets the command line as its arguments, such as `xargs`. */
  readonly through?: readonly string[];
  readonly onStart?: (child: ChildProcess) => void;
}

/** An engine, an image and a workspace, ready for one case of the contract after the other. */
export interface EngineBench {
  readonly workspace: string;
  /** The home folder that the caller has on the host. */
  readonly home: string;
  /** The driver's environment. */
  readonly env: Readonly<Record<string, string>>;
  run(argv: readonly string[], options?: BenchRunOptions): Promise<SessionResult>;
  /** The command line of {@link run}, for a terminal. */
  commandLine(argv: readonly string[], session?: BenchSession): Promise<string[]>;
  remove(): Promise<void>;
}

let compiled: Promise<string> | undefined;

/** Compiles src/ once, because the driver is a process of its own. */
async function compile(): Promise<string> {
  const folder = join(ROOT, "out", `engine-dist-${process.pid}`);
  await run(process.execPath, [
    join(ROOT, "node_modules/typescript/bin/tsc"),
    "-p",
    join(ROOT, "tsconfig.build.json"),
    "--noCheck",
    "--declaration",
    "false",
    "--outDir",
    folder,
  ]);
  return folder;
}

/** Makes a bench below `parent`, everything in it owned by the caller. */
export async function openEngineBench({ engine, caller, env = {} }: BenchOptions): Promise<EngineBench> {
  compiled ??= compile();
  const dist = await compiled;
  const folder = await mkdtemp("/tmp/toolbox-engine-");
  await chmod(folder, 0o755);
  const workspace = join(folder, "sh op, ü");
  await mkdir(join(workspace, "charts", "web"), { recursive: true });
  await mkdir(join(folder, "home"));
  const store = await openLayoutStore(join(folder, "store"));
  const descriptor = await putEngineImage(store);
  for (const path of [
    folder,
    workspace,
    join(workspace, "charts"),
    join(workspace, "charts", "web"),
    join(folder, "home"),
  ]) {
    await chown(path, caller.uid, caller.gid);
  }
  await run("chown", ["-R", `${caller.uid}:${caller.gid}`, join(folder, "store")]);
  const image = {
    digest: descriptor.digest,
    platform: `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`,
  };
  const environment = { PATH: process.env["PATH"] ?? "", HOME: join(folder, "home"), ...env };
  let count = 0;
  const commandLine: EngineBench["commandLine"] = async (
    argv,
    { credentials = [], localtime, ...session } = {},
  ) => {
    count += 1;
    const file = join(folder, `request-${count}.json`);
    const request = {
      engine,
      image,
      dataDir: join(folder, "data"),
      stateDir: join(folder, "state"),
      store: join(folder, "store"),
      credentials,
      localtime,
      session: { workspace, ...session, argv },
    };
    await writeFile(file, JSON.stringify(request));
    const root = readableRoot();
    const driver = join(root, "test/support/engine-driver.mjs");
    return [process.execPath, driver, join(root, relative(ROOT, dist)), file];
  };
  return {
    workspace,
    home: join(folder, "home"),
    env: environment,
    commandLine,
    async run(
      argv,
      { cwd = workspace, env: more = {}, input = new Uint8Array(), session = {}, through = [], onStart } = {},
    ) {
      const [program = "", ...rest] = [...through, ...(await commandLine(argv, session))];
      const child = spawn(program, rest, { cwd, env: { ...environment, ...more }, ...caller });
      onStart?.(child);
      return collect(child, input);
    },
    async remove() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Removes what {@link openEngineBench} compiled. */
export async function removeCompiled(): Promise<void> {
  if (compiled !== undefined) await rm(await compiled, { recursive: true, force: true });
  compiled = undefined;
}

async function collect(
  child: ReturnType<typeof spawn>,
  input: Uint8Array | Promise<Uint8Array>,
): Promise<SessionResult> {
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // A command may end without reading its input.
  child.stdin?.on("error", () => undefined);
  void Promise.resolve(input).then((bytes) => child.stdin?.end(bytes));
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode, signal) => resolve(exitCode ?? (signal === null ? -1 : -2)));
  });
  return { code, stdout: Buffer.concat(stdout), stderr };
}
