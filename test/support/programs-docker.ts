// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { hasPrograms, makeFolder, runProgram } from "./programs.ts";

/** A docker daemon of our own, apart from any that the machine runs. */
export interface RunningDocker {
  /** For the environment of `docker` and of `toolbox`. */
  readonly env: { readonly DOCKER_HOST: string };
  readonly stop: () => Promise<void>;
}

/** Whether {@link startDocker} can work here. */
export function canStartDocker(): boolean {
  return process.getuid?.() === 0 && hasPrograms("dockerd", "docker", "containerd", "runc");
}

/** Starts dockerd without bridge and firewall rules, so that it disturbs nothing: use `--network host` or `none`. */
export async function startDocker(): Promise<RunningDocker> {
  const folder = await makeFolder("docker");
  const socket = join(folder.path, "docker.sock");
  const log = join(folder.path, "dockerd.log");
  const output = openSync(log, "w");
  const daemon = spawn(
    "dockerd",
    [
      "--iptables=false",
      "--bridge=none",
      "-H",
      `unix://${socket}`,
      "--data-root",
      join(folder.path, "data"),
      "--exec-root",
      join(folder.path, "exec"),
      "--pidfile",
      join(folder.path, "pid"),
    ],
    { stdio: ["ignore", output, output] },
  );
  const env = { DOCKER_HOST: `unix://${socket}` };
  const stop = async (): Promise<void> => {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const closed = once(daemon, "exit");
      daemon.kill("SIGTERM");
      await closed;
    }
    await unmountBelow(folder.path);
    await folder.remove();
  };
  for (let attempt = 0; attempt < 150; attempt += 1) {
    if ((await runProgram("docker", ["version"], { env })).code === 0) return { env, stop };
    if (daemon.exitCode !== null) break;
    await wait(200);
  }
  const said = await readFile(log, "utf8");
  await stop();
  throw new Error(`dockerd does not start: ${said.slice(-2000)}`);
}

/**
 * A folder that is mounted on cannot be removed, and dockerd leaves its own network namespace mounted; its data too,
 * where the machine's root is not shared between mount namespaces.
 */
async function unmountBelow(folder: string): Promise<void> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  const places = table.split("\n").map((line) => line.split(" ")[4] ?? "");
  // The last one mounted lies on top.
  for (const place of places.filter((path) => path.startsWith(`${folder}/`)).toReversed()) {
    await runProgram("umount", ["--lazy", place]);
  }
}
