// SPDX-License-Identifier: Apache-2.0
import { chmod, chown, cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunningCluster } from "./cluster.ts";
import type { EngineUnderTest, ReadyEngine } from "./engine-list.ts";
import {
  makeFolder,
  outputOf,
  type ProgramResult,
  ROOT,
  runProgram,
  type RunProgramOptions,
} from "./programs.ts";
import { makeWorkspace } from "./small-workspace.ts";

/** What `toolbox` is called by, for a shell or a terminal. */
export const TOOLBOX_LINE: readonly [string, ...string[]] = [
  process.execPath,
  join(ROOT, "dist", "cli", "main.js"),
];

/** The exec plugin that one of the two images has. */
export const PLUGIN = "cluster-login";

/** Two images out of one workspace: `kube` has kubectl, `kube-login` has the exec plugin as well. */
export interface ClusterImages {
  /** Holds `store`, and for each {@link ClusterSession} a folder of that name with toolbox.yaml and toolbox.lock. */
  readonly folder: string;
  readonly remove: () => Promise<void>;
}

/** What `session:` of toolbox.yaml says of kubeconfig: `whole` passes all of it, `chosen` the context "other" only. */
export type ClusterSession = keyof typeof SESSIONS;

const SESSIONS = {
  whole: {},
  chosen: { context: "other", namespace: "kube-system" },
} as const;

/** Locks and builds the images for this machine. */
export async function buildClusterImages({ pluginToken }: RunningCluster): Promise<ClusterImages> {
  const workspace = await makeWorkspace();
  const folder = dirname(workspace.path);
  const credential = {
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: pluginToken },
  };
  const build = async (verb: string): Promise<void> => {
    const { code, stdout, stderr } = await workspace.toolbox([verb], { timeout: 1_800_000 });
    if (code !== 0) throw new Error(`toolbox ${verb} ended with ${code}\n${stdout}${stderr}`);
  };
  await workspace.write(PLUGIN, `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`);
  for (const [name, session] of Object.entries(SESSIONS)) {
    await workspace.write("toolbox.yaml", JSON.stringify(declarationOf(session)));
    await build("lock");
    await cp(workspace.path, join(folder, name), { recursive: true });
  }
  await build("build");
  return { folder, remove: workspace.remove };
}

function declarationOf(session: object): object {
  return {
    platforms: [`linux/${process.arch === "arm64" ? "arm64" : "amd64"}`],
    base: { debian: "trixie", packages: ["bash", "ca-certificates", "libnss-unknown"] },
    tools: {
      kubectl: { source: "debian" },
      [PLUGIN]: { source: "file", path: `./${PLUGIN}`, summary: "Signs in to the cluster of the tests" },
    },
    images: { kube: { tools: ["kubectl"] }, "kube-login": { extends: "kube", tools: [PLUGIN] } },
    session: { image: "kube", credentials: ["kubeconfig"], ...session },
  };
}

/** A user of the cluster at a machine of their own: a home, a workspace, and `toolbox` on one engine. */
export interface ClusterPerson {
  /** The host's home folder. */
  readonly home: string;
  readonly workspace: string;
  /** The environment that {@link toolbox} runs in. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes a file of the person's, by default for nobody else's eyes. The path is absolute or starts at the home. */
  readonly write: (path: string, content: string, mode?: number) => Promise<string>;
  /** Runs any program as this person does. */
  readonly run: (
    program: string,
    args: readonly string[],
    options?: RunProgramOptions,
  ) => Promise<ProgramResult>;
  readonly toolbox: (args: readonly string[], options?: RunProgramOptions) => Promise<ProgramResult>;
  /** Like {@link toolbox} for what must succeed without a word on stderr: what it printed, without the last line's end. */
  readonly say: (args: readonly string[], options?: RunProgramOptions) => Promise<string>;
}

/** An engine with the images loaded, where persons can be. */
export interface ClusterOffice {
  readonly engine: ReadyEngine;
  /** Everybody starts with an empty home and a workspace of their own. Absent: `whole`. */
  readonly hire: (session?: ClusterSession) => Promise<ClusterPerson>;
  readonly close: () => Promise<void>;
}

/** Starts an engine. Its store is a copy of its own, because what other users keep beside it cannot be shared. */
export async function openOffice(under: EngineUnderTest, images: ClusterImages): Promise<ClusterOffice> {
  const engine = await under.start();
  const folder = await makeFolder("office");
  await chmod(folder.path, 0o755);
  await cp(join(images.folder, "store"), join(folder.path, "store"), { recursive: true });
  const { uid, gid } = engine.caller;
  await outputOf("chown", ["-R", `${uid}:${gid}`, folder.path]);
  let count = 0;
  const hire: ClusterOffice["hire"] = async (session = "whole") => {
    count += 1;
    const source = join(images.folder, session);
    return await furnish(join(folder.path, `person ${count}`), { engine, name: under.name, source });
  };
  // The first command of each image unpacks or loads it, and says so.
  const first = await hire();
  for (const image of ["kube", "kube-login"]) {
    const { code, stderr } = await first.toolbox(["run", "--image", image, "true"]);
    if (code !== 0) throw new Error(`image "${image}" does not run on ${under.title}: ${stderr}`);
  }
  return {
    engine,
    hire,
    async close() {
      await engine.stop();
      await folder.remove();
    },
  };
}

interface Furniture {
  readonly engine: ReadyEngine;
  readonly name: string;
  /** The workspace that is copied. */
  readonly source: string;
}

async function furnish(folder: string, { engine, name, source }: Furniture): Promise<ClusterPerson> {
  const { uid, gid } = engine.caller;
  const home = join(folder, "home");
  const workspace = join(folder, "work");
  await mkdir(home, { recursive: true });
  await cp(source, workspace, { recursive: true });
  await outputOf("chown", ["-R", `${uid}:${gid}`, folder]);
  const env = {
    // Empty is as good as absent for all of them, and a terminal can pass it on.
    CI: "",
    KUBECONFIG: "",
    XDG_CACHE_HOME: "",
    XDG_CONFIG_HOME: "",
    XDG_DATA_HOME: "",
    HOME: home,
    TOOLBOX_ENGINE: name,
    TOOLBOX_STORE: join(dirname(folder), "store"),
    XDG_STATE_HOME: join(folder, "state"),
    ...engine.env,
  };
  const run: ClusterPerson["run"] = async (program, args, options = {}) =>
    runProgram(program, args, { cwd: workspace, uid, gid, ...options, env: { ...env, ...options.env } });
  const toolbox: ClusterPerson["toolbox"] = (args, options) => {
    const [program, ...first] = TOOLBOX_LINE;
    return run(program, [...first, ...args], options);
  };
  return {
    home,
    workspace,
    env,
    run,
    async write(path, content, mode = 0o600) {
      const file = path.startsWith("/") ? path : join(home, path);
      const made = await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content, { mode });
      await chown(file, uid, gid);
      if (made !== undefined) await outputOf("chown", ["-R", `${uid}:${gid}`, made]);
      return file;
    },
    toolbox,
    async say(args, options) {
      const { code, stdout, stderr } = await toolbox(args, options);
      if (code !== 0 || stderr !== "")
        throw new Error(`${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
      return stdout.trimEnd();
    },
  };
}
