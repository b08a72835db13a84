// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { chmod, chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { hasPrograms, makeFolder } from "./programs.ts";
import { canStartDocker } from "./programs-docker.ts";
import { canMakeRootlessUser, makeRootlessUser, type RootlessUser } from "./rootless-user.ts";

/** A docker daemon that a plain user runs, and that user. */
export interface RunningRootlessDocker {
  readonly env: { readonly DOCKER_HOST: string };
  readonly user: RootlessUser;
  readonly stop: () => Promise<void>;
}

/** Whether {@link startRootlessDocker} can work here. */
export function canStartRootlessDocker(): boolean {
  return canStartDocker() && canMakeRootlessUser() && hasPrograms("rootlesskit");
}

/** Starts dockerd in a user namespace of a user of its own, with an empty network: nothing is published or fetched. */
export async function startRootlessDocker(): Promise<RunningRootlessDocker> {
  const folder = await makeFolder("rootless-docker");
  const user = await makeRootlessUser(folder.path);
  const runtime = join(folder.path, "user");
  await mkdir(runtime);
  await chown(runtime, user.uid, user.gid);
  await chmod(runtime, 0o700);
  const log = join(folder.path, "dockerd.log");
  const script = join(folder.path, "start");
  await writeFile(script, startScript(folder.path), { mode: 0o755 });
  const output = openSync(log, "w");
  const daemon = spawn(
    "rootlesskit",
    ["--net=host", "--copy-up=/etc", "--copy-up=/run", `--state-dir=${join(runtime, "kit")}`, script],
    {
      stdio: ["ignore", output, output],
      env: { PATH: process.env["PATH"], HOME: folder.path, XDG_RUNTIME_DIR: runtime },
      uid: user.uid,
      gid: user.gid,
    },
  );
  const env = { DOCKER_HOST: `unix://${join(runtime, "docker.sock")}` };
  const stop = async (): Promise<void> => {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const closed = once(daemon, "exit");
      daemon.kill("SIGTERM");
      await closed;
    }
    await user.remove();
    await folder.remove();
  };
  for (let attempt = 0; attempt < 600 && daemon.exitCode === null; attempt += 1) {
    if ((await user.run("docker", ["version"], env)) === 0) return { env, user, stop };
    await wait(200);
  }
  const said = await readFile(log, "utf8");
  await stop();
  throw new Error(`rootless dockerd does not start: ${said.slice(-2000)}`);
}

/**
 * /run is a copy of the host's in there: what other daemons left in it would stand in the way. The network of the host is not
 * the user's to share, so there is one without any device, which is what `--network host` then means.
 */
function startScript(folder: string): string {
  const options = [
    "--rootless",
    "--iptables=false",
    "--bridge=none",
    `--host=unix://$XDG_RUNTIME_DIR/docker.sock`,
    `--data-root=${folder}/data`,
    "--exec-root=$XDG_RUNTIME_DIR/exec",
    "--pidfile=$XDG_RUNTIME_DIR/pid",
  ];
  return `#!/bin/sh\nrm -rf /run/docker /run/containerd /run/xtables.lock\nexec unshare --net dockerd ${options.join(" ")}\n`;
}
