// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { existsSync } from "node:fs";
import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, readlink, rm, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { MEMORY_FOLDER, PLAIN_UID } from "./hosts.mjs";
import { PACKAGE } from "./programs.mjs";
import { runProgram } from "./run-program.mjs";

/** @typedef {import("./hosts.mjs").Host} Host */
/** @typedef {import("./host-command.mjs").HostPlace} HostPlace */
/** @typedef {import("./workspaces.mjs").Workspace} Workspace */

/** What this machine has downloaded and compiled already. */
export const MACHINE_CACHE =
  process.env["TOOLBOX_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "toolbox");

/**
 * Makes the folders of a host, with the program, its Node.js and the workspaces in them. The store is always on a disk.
 *
 * @param {Host} host
 * @param {{ work: string, product: string, node: string, workspaces: string, sysroot: string }} from
 * @returns {Promise<HostPlace & { remove: () => Promise<void> }>}
 */
export async function makeHostPlace(host, { work, product, node, workspaces, sysroot }) {
  const disk = join(work, host.elsewhere ? `${host.name}, büro 7` : host.name);
  await mkdir(disk);
  const folder = host.inMemory ? await mkdtemp(join(MEMORY_FOLDER, "toolbox-sameness-")) : disk;
  await chmod(folder, 0o755);
  const place = {
    folder,
    program: join(folder, "product", PACKAGE, "dist", "cli", "main.js"),
    node: join(folder, "node"),
    workspaces: join(folder, "workspaces"),
    cache: join(folder, "cache"),
    store: join(disk, "store"),
    home: host.elsewhere || host.plainUser ? join(folder, "home") : homedir(),
    sysroot,
  };
  await copyTree(product, join(folder, "product"));
  await copyTree(workspaces, place.workspaces);
  await copyFile(node, place.node);
  await copyFile(join(import.meta.dirname, "probe.mjs"), join(folder, "probe.mjs"));
  for (const path of [join(folder, "home"), place.cache, place.store]) await mkdir(path);
  const remove = async () => {
    for (const path of new Set([folder, disk]))
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
  };
  return { ...place, remove };
}

/**
 * Gives a host its own cache for a workspace: downloads are shared, layers and what steps leave are not. Programs that
 * were compiled or unpacked are shared where compiling again would take an hour.
 *
 * @param {Host} host
 * @param {HostPlace} place
 * @param {Workspace} workspace
 * @param {{ recompile: boolean, modules: string | undefined, work: string, log: string, signal: AbortSignal }} options
 *   modules: a cache of Go modules to start from. Absent: they are downloaded
 * @returns {Promise<string>}
 */
export async function makeCache(host, { cache }, workspace, { recompile, modules, work, log, signal }) {
  const folder = join(cache, workspace.folder);
  if (existsSync(folder)) return folder;
  await mkdir(join(folder, "go"), { recursive: true });
  const { programs } = workspace;
  const compiles = programs === "compiled" || recompile;
  const takes = programs === "shared" && !recompile;
  const shared = [
    "files",
    ...(compiles ? ["go/toolchains"] : []),
    ...(takes ? ["go-builds", "programs"] : []),
    // What is not compiled yet is compiled on the first host, for all and for good.
    ...(takes && host.name === "first" ? ["go/toolchains", "go/mod"] : []),
  ];
  for (const part of shared) {
    await mkdir(join(MACHINE_CACHE, part), { recursive: true });
    if (host.plainUser) await shareReadable(part, folder, { work, log, signal });
    else await symlink(join(MACHINE_CACHE, part), join(folder, part));
  }
  if (compiles && modules !== undefined)
    await runProgram(["cp", "-R", "--reflink=auto", modules, join(folder, "go/mod")], {
      cwd: work,
      log,
      signal,
    });
  return folder;
}

/**
 * Shares a part of the cache with a user who may not enter the home that it stands in, nor write there: by other names
 * of the same files, where the file system gives them.
 *
 * @param {string} part
 * @param {string} cache
 * @param {{ work: string, log: string, signal: AbortSignal }} options
 */
async function shareReadable(part, cache, { work, log, signal }) {
  const mirror = join(work, "readable", part);
  await mkdir(join(cache, part));
  // Locks and unfinished downloads are each user's own.
  const names = (await readdir(join(MACHINE_CACHE, part))).filter((name) => !/^partial$|\.lock$/.test(name));
  await mkdir(mirror, { recursive: true });
  for (const name of names) {
    if (!existsSync(join(mirror, name))) {
      const copy = ["cp", "-R", join(MACHINE_CACHE, part, name), mirror];
      const link = [...copy.slice(0, 2), "--link", ...copy.slice(2)];
      await runProgram(link, { cwd: work, log, signal }).catch(async () => {
        await rm(join(mirror, name), { recursive: true, force: true });
        await runProgram(copy, { cwd: work, log, signal });
      });
    }
    await symlink(join(mirror, name), join(cache, part, name));
  }
}

/**
 * Hands all that is below a host's folders to the user that builds there.
 * @param {Host} host
 * @param {HostPlace} place
 * @param {{ log: string, signal: AbortSignal }} options
 */
export async function giveAway({ plainUser }, { folder, store }, { log, signal }) {
  if (!plainUser) return;
  const owner = `${PLAIN_UID}:${PLAIN_UID}`;
  await runProgram(["chown", "-R", owner, folder, store], { cwd: folder, log, signal });
}

/**
 * Copies in the order of the names, which is backwards the one in which tmpfs lists them.
 * @param {string} from
 * @param {string} to
 */
async function copyTree(from, to) {
  await mkdir(to);
  for (const name of (await readdir(from)).toSorted()) {
    const [source, target] = [join(from, name), join(to, name)];
    const status = await lstat(source);
    if (status.isDirectory()) await copyTree(source, target);
    else if (status.isSymbolicLink()) await symlink(await readlink(source), target);
    else await copyFile(source, target);
  }
}
