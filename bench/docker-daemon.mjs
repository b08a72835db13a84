// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/**
 * Starts a docker daemon of its own that disturbs nothing on this machine. Needs root.
 *
 * @param {string} folder
 * @returns {Promise<{ host: string, stop: () => Promise<void> } | undefined>} Absent: it does not start here.
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
    // dockerd leaves its own network namespace mounted, and a folder that is mounted on cannot be removed.
    spawnSync("umount", ["--lazy", join(folder, "exec/netns/default")]);
    if (daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = once(daemon, "exit");
    daemon.kill("SIGTERM");
    await ended;
  };
  for (let attempt = 0; attempt < 150 && daemon.exitCode === null; attempt += 1) {
    if (spawnSync("docker", ["-H", host, "version"]).status === 0) return { host, stop };
    await wait(200);
  }
  await stop();
  return undefined;
}
