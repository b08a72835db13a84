// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** The builders that need a daemon, or that build as buildah does: slower, so with fewer rounds, and for no goal. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { NAMES } from "../content/programs.mjs";
import { startDockerDaemon } from "../harness/docker-daemon.mjs";
import { buildKitPeer, startBuildKit } from "../peers/buildkit.mjs";
import { buildahPeer, dockerPeer } from "../peers/dockerfile.mjs";
import { toolboxPeer } from "../peers/toolbox.mjs";
import { keepPresent, runRounds } from "./images.mjs";

/** A cold build of one of these takes up to a minute. */
const MOST_ROUNDS = 1;

/** @param {import("../parts.mjs").PartContext} context */
export async function measureEngines(context) {
  const folder = join(context.scratch, "docker");
  await mkdir(folder);
  const daemon = await startDockerDaemon(folder);
  const buildKit = await startBuildKit(join(context.scratch, "buildkit"), context.programs);
  try {
    const docker = daemon === undefined ? [] : [dockerPeer(daemon, "legacy"), dockerPeer(daemon, "BuildKit")];
    if (daemon === undefined) context.log("no docker daemon starts here, and docker is left out");
    if (buildKit === undefined) context.log("buildkitd does not start here, and COPY --link is left out");
    const modern = buildKit === undefined ? [] : [buildKitPeer(buildKit)];
    const { peers, versions } = keepPresent(
      [toolboxPeer("gzip"), ...docker, ...modern, buildahPeer("podman")],
      context,
    );
    const rounds = Math.min(MOST_ROUNDS, context.rounds);
    const bumps = [NAMES[0] ?? "", NAMES.at(-1) ?? ""];
    return { peers: versions, ...(await runRounds(peers, { ...context, rounds }, { bumps })) };
  } finally {
    await buildKit?.stop();
    await daemon?.stop();
  }
}
