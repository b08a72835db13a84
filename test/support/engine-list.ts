// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Caller } from "./engine-bench.ts";
import { hasPrograms, makeFolder, runProgram } from "./programs.ts";
import { canStartDocker, startDocker } from "./programs-docker.ts";
import { canRunPodman } from "./programs-podman.ts";

/** An engine that is up. */
export interface ReadyEngine {
  /** What its client needs. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** One row of the contract's table. */
export interface EngineUnderTest {
  readonly title: string;
  readonly name: string;
  readonly caller: Caller;
  /** What `id` says inside. */
  readonly inside: Caller;
  /** Milliseconds after the command's first output in which the engine's client does not pass signals on yet. */
  readonly deafFor: number;
  start(): Promise<ReadyEngine>;
}

const ROOT_USER: Caller = { uid: 0, gid: 0 };

/** A user that no account is made for; files and processes know numbers only. */
const PLAIN_USER: Caller = { uid: 4242, gid: 4343 };

const isRoot = process.getuid?.() === 0;

/** All engines that this machine has, each for root and for a plain user where both can use it. */
export const ENGINES_UNDER_TEST: readonly EngineUnderTest[] = [
  ...(canStartDocker()
    ? [row("docker", ROOT_USER, startDockerForAll), row("docker", PLAIN_USER, startDockerForAll)]
    : []),
  ...(canRunPodman() ? [row("podman", ROOT_USER, startPodman)] : []),
  ...embedded("bubblewrap", "bwrap"),
  ...embedded("namespaces", "unshare"),
  ...(existsSync("/sys/fs/cgroup/unified") ? [] : embedded("crun", "crun")),
  ...embedded("runc", "runc"),
];

function row(name: string, caller: Caller, start: () => Promise<ReadyEngine>): EngineUnderTest {
  return {
    title: `${name} as ${caller.uid === 0 ? "root" : "a plain user"}`,
    name,
    caller,
    inside: insideOf(name, caller),
    deafFor: name === "podman" ? 1000 : 0,
    start,
  };
}

/** An honest difference: without root, runc has one number to give, and insists that it be 0. */
function insideOf(name: string, caller: Caller): Caller {
  return name === "runc" ? ROOT_USER : caller;
}

function embedded(name: string, program: string): EngineUnderTest[] {
  if (!isRoot || !hasPrograms(program)) return [];
  return [row(name, ROOT_USER, startNothing), row(name, PLAIN_USER, startNothing)];
}

async function startNothing(): Promise<ReadyEngine> {
  return { env: {}, stop: async () => undefined };
}

/** A daemon whose socket every user of this machine may use while the test runs. */
async function startDockerForAll(): Promise<ReadyEngine> {
  const docker = await startDocker();
  const socket = docker.env.DOCKER_HOST.slice("unix://".length);
  await runProgram("chmod", ["755", join(socket, "..")]);
  await runProgram("chmod", ["666", socket]);
  return docker;
}

/** podman with a storage and settings of its own, which its environment names. */
async function startPodman(): Promise<ReadyEngine> {
  const folder = await makeFolder("podman");
  const storage = join(folder.path, "storage.conf");
  const settings = join(folder.path, "containers.conf");
  await mkdir(join(folder.path, "root"));
  await writeFile(
    storage,
    `[storage]\ndriver = "overlay"\ngraphroot = "${folder.path}/root"\nrunroot = "${folder.path}/run"\n`,
  );
  await writeFile(
    settings,
    [
      "[containers]",
      'default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]',
      "[engine]",
      'runtime = "runc"',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      "",
    ].join("\n"),
  );
  const env = { CONTAINERS_CONF: settings, CONTAINERS_STORAGE_CONF: storage };
  return {
    env,
    async stop() {
      await runProgram("podman", ["system", "reset", "--force"], { env });
      await folder.remove();
    },
  };
}
