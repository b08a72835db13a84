// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { spawn, spawnSync } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { endProcess } from "./processes.mjs";

/** @typedef {{ host: string, pid: number, client: string, stop: () => Promise<void> }} DockerDaemon */

/**
 * Starts a docker daemon of its own that disturbs nothing on this machine. Needs root. Its data stand on the file system
 * of `folder`, which must be one that overlayfs takes as an upper layer (no overlay itself).
 *
 * @param {string} folder
 * @returns {Promise<DockerDaemon | undefined>} Absent: it does not start here.
 */
export async function startDockerDaemon(folder) {
  if (process.getuid?.() !== 0 || spawnSync("dockerd", ["--version"]).status !== 0) return undefined;
  const host = `unix://${join(folder, "docker.sock")}`;
  const output = openSync(join(folder, "dockerd.log"), "w");
  const daemon = spawn(
    "dockerd",
    [
      "--iptables=false",
      "--bridge=none",
      `--host=${host}`,
      `--data-root=${join(folder, "data")}`,
      `--exec-root=${join(folder, "exec")}`,
      `--pidfile=${join(folder, "pid")}`,
    ],
    { stdio: ["ignore", output, output] },
  );
  const stop = async () => {
    await endProcess(daemon);
    unmountBelow(folder);
  };
  const client = clientOf();
  for (let attempt = 0; attempt < 150 && daemon.exitCode === null; attempt += 1) {
    if (spawnSync(client, ["-H", host, "version"]).status === 0)
      return { host, pid: daemon.pid ?? 0, client, stop };
    await wait(200);
  }
  await stop();
  return undefined;
}

/** The daemon's own: another one on PATH may be too new to use its BuildKit. */
function clientOf() {
  return existsSync("/usr/bin/docker") ? "/usr/bin/docker" : "docker";
}

/** A folder that is mounted on cannot be removed, and a daemon leaves some. The last one mounted lies on top. @param {string} folder */
export function unmountBelow(folder) {
  const places = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  for (const place of places.filter((path) => path.startsWith(`${folder}/`)).toReversed())
    spawnSync("umount", ["--lazy", place]);
}
