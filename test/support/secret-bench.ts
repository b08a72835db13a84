// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import bcrypt from "bcryptjs";
import { openLayoutStore } from "../../src/oci/index.ts";
import { putEngineImage } from "./engine-image.ts";
import {
  hasPrograms,
  makeFolder,
  type ProgramResult,
  ROOT,
  runProgram,
  type RunProgramOptions,
} from "./programs.ts";
import { type RunningRegistry, serveRegistry } from "./programs-toolbox.ts";
import { findSecretFiles, type PlantedSecrets, plantSecrets, USER } from "./sentinel.ts";

/** The compiled command line. */
const TOOLBOX = join(ROOT, "dist", "cli", "main.js");

/** A home full of secrets, a workspace, a registry that wants a password, and a record of what was said and started. */
export interface SecretBench {
  readonly secrets: PlantedSecrets;
  readonly home: string;
  readonly work: string;
  readonly registry: RunningRegistry;
  /** What is set for every program. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (file: string, text: string) => Promise<void>;
  /** Runs a program, and keeps what it said and each program that it started. */
  readonly run: (
    program: string,
    args: readonly string[],
    options?: RunProgramOptions,
  ) => Promise<ProgramResult>;
  /** The same for `toolbox`. */
  readonly toolbox: (args: readonly string[], options?: RunProgramOptions) => Promise<ProgramResult>;
  /** Where a secret was said, or stood in the arguments of a program. Each answer is given once. */
  readonly leaks: () => string[];
  /** Files that hold a secret which was not planted there, the registry's log among them: path, places, mode. */
  readonly kept: () => Promise<string[]>;
  readonly remove: () => Promise<void>;
}

/** Opens a bench. The base image is in the registry already, as `base:1`. */
export async function openSecretBench(): Promise<SecretBench> {
  const folder = await makeFolder("secrets");
  const home = join(folder.path, "home");
  const work = join(home, "work");
  await mkdir(join(work, "bin"), { recursive: true });
  const secrets = await plantSecrets(home);
  const htpasswd = join(folder.path, "htpasswd");
  await writeFile(htpasswd, `${USER}:${await bcrypt.hash(secrets.password, 4)}\n`);
  const planted = new Set((await findSecretFiles(home, secrets.placesIn)).map(({ path }) => path));
  planted.add(join(home, ".docker/config.json"));
  const env = hostEnvironment(home, secrets);
  const registry = await serveRegistry(join(folder.path, "registry"), {
    args: ["--htpasswd", htpasswd, "--access-log"],
    env,
    log: join(folder.path, "access.log"),
  });
  await secrets.login(registry.host, secrets.password);
  const record = openRecord(join(folder.path, "trace"), secrets.placesIn);
  const run: SecretBench["run"] = async (program, args, options = {}) =>
    record.run(program, args, { cwd: work, ...options, env: { ...env, ...options.env } });
  const bench: SecretBench = {
    secrets,
    home,
    work,
    registry,
    env,
    run,
    write: async (file, text) => writeFile(join(work, file), text, { mode: 0o755 }),
    toolbox: async (args, options) => run(process.execPath, [TOOLBOX, ...args], options),
    leaks: record.leaks,
    kept: async () =>
      (await findSecretFiles(folder.path, secrets.placesIn))
        .filter(({ path }) => !planted.has(path))
        .map(
          ({ path, places, mode }) => `${relative(folder.path, path)} ${places.join()} ${mode.toString(8)}`,
        )
        .toSorted(),
    remove: async () => {
      await registry.stop();
      await folder.remove();
    },
  };
  await pushBase(bench, folder.path);
  return bench;
}

/** The environment of the tests, the secrets, and nothing that leads out of this home. */
function hostEnvironment(home: string, { env }: PlantedSecrets): SecretBench["env"] {
  const names = ["CI", "DOCKER_CONFIG", "KUBECONFIG", "REGISTRY_AUTH_FILE", "TOOLBOX_CACHE", "TOOLBOX_STORE"];
  const folders = ["CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "RUNTIME_DIR", "STATE_HOME"];
  const absent = [...names, ...folders.map((name) => `XDG_${name}`)].map((name) => [name, undefined]);
  return { ...Object.fromEntries(absent), ...env, HOME: home };
}

interface ProgramRecord {
  readonly run: SecretBench["run"];
  readonly leaks: SecretBench["leaks"];
}

/** strace tells of each program that is started, however short it lives, with all of its arguments. */
function openRecord(trace: string, placesIn: PlantedSecrets["placesIn"]): ProgramRecord {
  const tracer = hasPrograms("strace")
    ? ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=execve,execveat", "-s", "1000000", "-o", trace]
    : [];
  const found: string[] = [];
  return {
    async run(program, args, options) {
      const [first = "", ...rest] = [...tracer, program, ...args];
      const result = await runProgram(first, rest, options);
      const started = tracer.length === 0 ? "" : await readFile(trace, "utf8");
      await rm(trace, { force: true });
      const said = { stdout: result.stdout, stderr: result.stderr, arguments: started };
      for (const [where, text] of Object.entries(said)) {
        const places = placesIn(text);
        if (places.length > 0) found.push(`${where} of "${args.slice(1).join(" ")}": ${places.join()}`);
      }
      return result;
    },
    leaks: () => found.splice(0),
  };
}

async function pushBase({ registry, toolbox, leaks }: SecretBench, folder: string): Promise<void> {
  const layout = join(folder, "layout");
  const store = await openLayoutStore(layout);
  await store.tag("base", await putEngineImage(store));
  const pushed = await toolbox(["image", "copy", `oci:${layout}:base`, `${registry.host}/team/base:1`]);
  if (pushed.code !== 0 || leaks().length > 0) throw new Error(`no base: ${pushed.stdout}${pushed.stderr}`);
}
