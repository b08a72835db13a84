// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Caller } from "./engine-bench.ts";
import { hasPrograms, makeFolder, runProgram } from "./programs.ts";
import { canStartDocker, startDocker } from "./programs-docker.ts";
import { canRunPodman } from "./programs-podman.ts";
import { canStartRootlessDocker, startRootlessDocker } from "./programs-rootless-docker.ts";
import { canMakeRootlessUser, makeRootlessUser } from "./rootless-user.ts";

/** An engine that is up. */
export interface ReadyEngine {
  /** What its client needs. */
  readonly env: Readonly<Record<string, string>>;
  /** Who calls it. */
  readonly caller: Caller;
  stop(): Promise<void>;
}

/** Whose command it is: `rootless` is a plain user whose engine has sub-ids of the user's own. */
export type ContractUser = "root" | "plain" | "rootless";

/** One column of the contract's table. */
export interface EngineUnderTest {
  readonly title: string;
  readonly name: string;
  readonly user: ContractUser;
  /** Whether this machine has what it takes. */
  readonly isHere: boolean;
  start(): Promise<ReadyEngine>;
}

const ROOT_USER: Caller = { uid: 0, gid: 0 };

/** A user that no account is made for; files and processes know numbers only. */
const PLAIN_USER: Caller = { uid: 4242, gid: 4343 };

const isRoot = process.getuid?.() === 0;

/** The engines that the contract is kept by: the columns of its table. */
export const CONTRACT_ENGINES: readonly EngineUnderTest[] = [
  column("docker", "root", { isHere: canStartDocker(), start: () => startDockerFor(ROOT_USER) }),
  column("docker", "plain", { isHere: canStartDocker(), start: () => startDockerFor(PLAIN_USER) }),
  column("docker", "rootless", { isHere: canStartRootlessDocker(), start: startDockerRootless }),
  column("podman", "root", { isHere: canRunPodman(), start: startPodman }),
  column("podman", "rootless", {
    isHere: canRunPodman() && canMakeRootlessUser(),
    start: startRootlessPodman,
  }),
  ...embedded("bubblewrap", "bwrap"),
  ...embedded("namespaces", "unshare"),
  ...embedded("runc", "runc"),
];

/** crun keeps the contract too, where the machine mounts cgroups in a way that it knows. */
export const OPTIONAL_ENGINES: readonly EngineUnderTest[] = existsSync("/sys/fs/cgroup/unified")
  ? []
  : embedded("crun", "crun");

/** The engines that this machine has and that tests of the whole command line can use as they are. */
export const ENGINES_UNDER_TEST: readonly EngineUnderTest[] = [
  ...CONTRACT_ENGINES,
  ...OPTIONAL_ENGINES,
].filter(({ isHere, user }) => isHere && user !== "rootless");

function column(
  name: string,
  user: ContractUser,
  { isHere, start }: Pick<EngineUnderTest, "isHere" | "start">,
): EngineUnderTest {
  const who = user === "plain" ? "as a plain user" : user === "root" ? "as root" : "rootless";
  return { title: `${name} ${who}`, name, user, isHere, start };
}

function embedded(name: string, program: string): EngineUnderTest[] {
  const isHere = isRoot && hasPrograms(program);
  return [
    column(name, "root", { isHere, start: () => startNothing(ROOT_USER) }),
    column(name, "plain", { isHere, start: () => startNothing(PLAIN_USER) }),
  ];
}

async function startNothing(caller: Caller): Promise<ReadyEngine> {
  return { env: {}, caller, stop: async () => undefined };
}

/** A daemon whose socket every user of this machine may use while the test runs. */
async function startDockerFor(caller: Caller): Promise<ReadyEngine> {
  const docker = await startDocker();
  const socket = docker.env.DOCKER_HOST.slice("unix://".length);
  await runProgram("chmod", ["755", join(socket, "..")]);
  await runProgram("chmod", ["666", socket]);
  return { ...docker, caller };
}

/** A daemon of a user of its own, who is root inside. */
async function startDockerRootless(): Promise<ReadyEngine> {
  const { env, user, stop } = await startRootlessDocker();
  return { env, caller: { uid: user.uid, gid: user.gid }, stop };
}

async function startPodman(): Promise<ReadyEngine> {
  const folder = await makeFolder("podman");
  const env = await writePodmanSettings(folder.path);
  return {
    env,
    caller: ROOT_USER,
    async stop() {
      await runProgram("podman", ["system", "reset", "--force"], { env });
      await folder.remove();
    },
  };
}

/** podman as a user of its own, in a user namespace with that user's sub-ids. */
async function startRootlessPodman(): Promise<ReadyEngine> {
  const folder = await makeFolder("podman");
  const user = await makeRootlessUser(folder.path);
  const runtime = join(folder.path, "user");
  const env = { ...(await writePodmanSettings(folder.path)), XDG_RUNTIME_DIR: runtime };
  for (const path of ["root", "run", "user"]) {
    await mkdir(join(folder.path, path), { recursive: true });
    await chown(join(folder.path, path), user.uid, user.gid);
  }
  await chmod(runtime, 0o700);
  const stop = async (): Promise<void> => {
    await user.run("podman", ["system", "reset", "--force"], env);
    await user.remove();
    await folder.remove();
  };
  // The first command makes the namespace, and warns once of what this machine lacks.
  const code = await user.run("podman", ["info"], env);
  if (code === 0) return { env, caller: { uid: user.uid, gid: user.gid }, stop };
  await stop();
  throw new Error(`rootless podman does not start (${code})`);
}

/** A storage and settings of its own for podman, and the environment that names them. */
async function writePodmanSettings(folder: string): Promise<Record<string, string>> {
  const storage = join(folder, "storage.conf");
  const settings = join(folder, "containers.conf");
  await mkdir(join(folder, "root"), { recursive: true });
  await writeFile(
    storage,
    `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/root"\nrunroot = "${folder}/run"\n`,
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
  return { CONTAINERS_CONF: settings, CONTAINERS_STORAGE_CONF: storage };
}
