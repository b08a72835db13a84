// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** BuildKit without docker: buildkitd and buildctl, and Dockerfiles that say COPY --link. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { REPOSITORY } from "../content/programs.mjs";
import { unmountBelow } from "../harness/docker-daemon.mjs";
import { firstLine } from "../harness/machine.mjs";
import { endProcess, outputOf } from "../harness/processes.mjs";
import { writeDockerfile } from "./dockerfile.mjs";

/** @typedef {{ client: string, daemonProgram: string, address: string, pid: number, stop: () => Promise<void> }} BuildKit */

/**
 * @param {string} folder @param {Readonly<Record<string, string>>} programs
 * @returns {Promise<BuildKit | undefined>} Absent: it cannot be had, or does not start here.
 */
export async function startBuildKit(folder, programs) {
  const { buildkitd, buildctl } = programs;
  if (buildkitd === undefined || buildctl === undefined || process.getuid?.() !== 0) return undefined;
  mkdirSync(folder);
  const address = `unix://${join(folder, "socket")}`;
  // Registries on loopback speak plain HTTP.
  await writeFile(join(folder, "buildkitd.toml"), "");
  const output = openSync(join(folder, "log"), "w");
  const places = [
    "--root",
    join(folder, "data"),
    "--addr",
    address,
    "--config",
    join(folder, "buildkitd.toml"),
  ];
  const worker = ["--oci-worker=true", "--oci-worker-snapshotter=overlayfs", "--containerd-worker=false"];
  const daemon = spawn(buildkitd, [...places, ...worker], { stdio: ["ignore", output, output] });
  const stop = async () => {
    await endProcess(daemon);
    unmountBelow(folder);
  };
  for (let attempt = 0; attempt < 100 && daemon.exitCode === null; attempt += 1) {
    if (spawnSync(buildctl, ["--addr", address, "debug", "workers"]).status === 0)
      return { client: buildctl, daemonProgram: buildkitd, address, pid: daemon.pid ?? 0, stop };
    await wait(200);
  }
  await stop();
  return undefined;
}

/** @param {BuildKit} daemon @returns {import("../harness/round.mjs").Peer} */
export function buildKitPeer({ client, daemonProgram, address, pid }) {
  const buildctl = (/** @type {string[]} */ ...args) => [client, "--addr", address, ...args];
  return {
    name: "BuildKit COPY --link",
    about:
      "buildctl build of a Dockerfile with COPY --link, push included, daemon's CPU time and memory included",
    version: () => firstLine(daemonProgram, ["--version"]),
    daemons: () => [pid],
    prepare: async (place) => {
      const [program = "", ...args] = buildctl("prune", "--all");
      await outputOf(program, args);
      await writeDockerfile(place, "--link ");
    },
    build: ({ folder, host }, tag) => {
      const target = `type=image,name=${host}/${REPOSITORY}:${tag},push=true,registry.insecure=true`;
      const locals = ["--local", `context=${folder}`, "--local", `dockerfile=${folder}`];
      return [
        {
          argv: buildctl(
            "build",
            "--progress=plain",
            "--frontend",
            "dockerfile.v0",
            ...locals,
            "--output",
            target,
          ),
        },
      ];
    },
  };
}
