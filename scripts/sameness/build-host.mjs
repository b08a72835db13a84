// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { hostCommand, hostEnvironment } from "./host-command.mjs";
import { giveAway, makeCache } from "./host-place.mjs";
import { runProgram } from "./run-program.mjs";

/** @typedef {import("./hosts.mjs").Host} Host */
/** @typedef {import("./host-command.mjs").HostPlace} HostPlace */
/** @typedef {import("./workspaces.mjs").Workspace} Workspace */

/**
 * What a host is like, as it says itself.
 * @typedef {{ node: string, arch: string, cpus: number, uid?: number, umask: string, locale: string, zone: string, home: string, hostname: string, folder: string, listing: string[] }} Facts
 */

/**
 * What came of one workspace on one host.
 * @typedef {object} Built
 * @property {string} workspace
 * @property {number} seconds
 * @property {Record<string, string>} digests of the indexes, by image
 */

/** @typedef {{ images: { name: string, index: { digest: string }, platforms: { platform: string, layers: { kind: string, name: string, digest: string, cached: boolean }[] }[] }[] }} BuildText */

const PLAIN = ["--no-progress", "--json"];

/**
 * @param {Host} host
 * @param {HostPlace} place
 * @param {{ log: string, signal: AbortSignal }} options
 * @returns {Promise<Facts>}
 */
export async function probeHost(host, place, { log, signal }) {
  await giveAway(host, place, { log, signal });
  const argv = [join(place.folder, "probe.mjs"), join(place.folder, "product", "node_modules")];
  const command = hostCommand(host, place, argv);
  return JSON.parse(
    await runProgram(command, { cwd: place.folder, env: hostEnvironment(host, place), log, signal }),
  );
}

/**
 * Locks a workspace on a host, and gives the lock to all that come after.
 *
 * @param {Host} host
 * @param {HostPlace} place
 * @param {Workspace} workspace
 * @param {{ template: string, work: string, log: string, signal: AbortSignal }} options
 *   template: the folder of workspaces that hosts get a copy of
 */
export async function lockWorkspace(host, place, workspace, { template, work, log, signal }) {
  const cache = await makeCache(host, place, workspace, {
    recompile: false,
    modules: undefined,
    work,
    log,
    signal,
  });
  const folder = join(place.workspaces, workspace.folder);
  const command = hostCommand(host, place, [place.program, "-C", folder, "lock", ...PLAIN]);
  await runProgram(command, {
    cwd: place.folder,
    env: hostEnvironment(host, { ...place, cache }),
    log,
    signal,
  });
  await copyFile(join(folder, "toolbox.lock"), join(template, workspace.folder, "toolbox.lock"));
}

/**
 * Builds a workspace on a host from its lock.
 *
 * @param {Host} host
 * @param {HostPlace} place
 * @param {Workspace} workspace
 * @param {{ recompile: boolean, modules: string | undefined, work: string, log: string, signal: AbortSignal }} options
 * @returns {Promise<{ built: Built, text: BuildText, cache: string }>}
 */
export async function buildWorkspace(host, place, workspace, options) {
  const { log, signal } = options;
  const cache = await makeCache(host, place, workspace, options);
  await giveAway(host, place, options);
  const folder = join(place.workspaces, workspace.folder);
  const argv = [place.program, "-C", folder, "build", "--frozen", ...workspace.args, ...PLAIN];
  const start = performance.now();
  const printed = await runProgram(hostCommand(host, place, argv), {
    cwd: place.folder,
    env: hostEnvironment(host, { ...place, cache }),
    log,
    signal,
  });
  const seconds = Math.round((performance.now() - start) / 1000);
  /** @type {BuildText} */
  const text = JSON.parse(printed);
  assertNew(text);
  const digests = Object.fromEntries(text.images.map(({ name, index }) => [name, index.digest]));
  return { built: { workspace: workspace.name, seconds, digests }, text, cache };
}

/**
 * A layer that was there already would say nothing about this host.
 * @param {BuildText} text
 */
function assertNew({ images }) {
  const layers = images.flatMap(({ platforms }) => platforms).flatMap(({ layers }) => layers);
  const known = layers.find(({ kind, cached }) => kind === "tool" && cached);
  if (known !== undefined) throw new Error(`the layer of ${known.name} was not built on this host`);
}

/**
 * Unpacks the C library of an arm64 base that was just built, for a Node.js that is emulated.
 *
 * @param {BuildText} text
 * @param {HostPlace} place of the host that built it
 * @param {string} folder
 * @param {{ log: string, signal: AbortSignal }} options
 */
export async function unpackSysroot({ images }, { store }, folder, { log, signal }) {
  const platform = images
    .flatMap(({ platforms }) => platforms)
    .find(({ platform }) => platform === "linux/arm64");
  const base = platform?.layers.find(({ kind }) => kind === "base");
  if (base === undefined) throw new Error("the small workspace has no base for arm64");
  const blob = join(store, "blobs", base.digest.replace(":", "/"));
  await mkdir(folder, { recursive: true });
  const parts = ["lib", "usr/lib/ld-linux-aarch64.so.1", "usr/lib/aarch64-linux-gnu"];
  await runProgram(["tar", "-xzf", blob, "-C", folder, ...parts], { cwd: folder, log, signal });
}
