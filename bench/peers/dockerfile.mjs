// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Peers that read a Dockerfile. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BASE_TAG, REPOSITORY } from "../content/programs.mjs";
import { firstLine } from "../harness/machine.mjs";
import { outputOf } from "../harness/processes.mjs";

/** @typedef {import("../harness/round.mjs").Place} Place */

/** One COPY for each program, in their order. @param {Place} place @param {string} [option] */
export async function writeDockerfile({ folder, names, host }, option = "") {
  const copies = names.map((name) => `COPY ${option}tools/${name} /usr/local/bin/${name}`);
  const text = [`FROM ${host}/${REPOSITORY}:${BASE_TAG}`, ...copies, ""].join("\n");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "Dockerfile"), text);
  await writeFile(join(folder, ".dockerignore"), "*\n!tools\n");
}

/**
 * buildah, or podman, which is the same builder.
 *
 * @param {"buildah" | "podman"} program @returns {import("../harness/round.mjs").Peer}
 */
export function buildahPeer(program) {
  const verb = program === "buildah" ? "bud" : "build";
  return {
    name: program,
    about: `${program} ${verb} --layers --timestamp 0 && ${program} push, as root, with a storage of its own (overlay)`,
    version: () => firstLine(program, ["--version"]),
    prepare: async (place) => {
      await emptyStorage(program, place);
      await writeDockerfile(place);
    },
    build: ({ folder, host }, tag) => {
      const image = `${host}/${REPOSITORY}:${tag}`;
      const globals = storageOptions(folder);
      const build = ["--layers", "--timestamp", "0", "--isolation", "chroot", "--tls-verify=false"];
      return [
        { argv: [program, ...globals, verb, ...build, "--quiet", "--tag", image, folder], cwd: folder },
        { argv: [program, ...globals, "push", "--quiet", "--tls-verify=false", image], cwd: folder },
      ];
    },
  };
}

/** @param {string} folder */
function storageOptions(folder) {
  return ["--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--storage-driver", "overlay"];
}

/** Layers stay mounted now and then, and then cannot be removed as files. @param {string} program @param {Place} place */
async function emptyStorage(program, { folder }) {
  const globals = storageOptions(folder);
  await outputOf(program, [...globals, "rmi", "--all", "--force"]);
  await outputOf("sh", ["-c", 'umount -l "$1/storage/overlay" 2>/dev/null || true', "sh", folder]);
  for (const name of ["storage", "run"]) await rm(join(folder, name), { recursive: true, force: true });
}

/**
 * A docker daemon's builder.
 *
 * @param {{ client: string, host: string, pid: number }} daemon
 * @param {"legacy" | "BuildKit"} builder
 * @returns {import("../harness/round.mjs").Peer}
 */
export function dockerPeer({ client, host: socket, pid }, builder) {
  const env = { DOCKER_HOST: socket, DOCKER_BUILDKIT: builder === "legacy" ? "0" : "1" };
  const docker = (/** @type {string[]} */ ...args) => outputOf(client, args, { env });
  return {
    name: `docker ${builder}`,
    about: `docker build (${builder}) && docker push, daemon's CPU time and memory included`,
    version: () => firstLine(client, ["--version"]),
    daemons: () => [pid],
    prepare: async (place) => {
      await docker("system", "prune", "--all", "--force");
      if (builder === "BuildKit") await docker("builder", "prune", "--all", "--force");
      await writeDockerfile(place);
    },
    build: ({ folder, host }, tag) => {
      const image = `${host}/${REPOSITORY}:${tag}`;
      return [
        { argv: [client, "build", "--quiet", "--tag", image, folder], env },
        { argv: [client, "push", "--quiet", image], env },
      ];
    },
  };
}
