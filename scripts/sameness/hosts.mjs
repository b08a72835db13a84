// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { release } from "node:os";
import { delimiter, join } from "node:path";
import { SYSROOT_WORKSPACE } from "./workspaces.mjs";

/** @typedef {import("./workspaces.mjs").Workspace} Workspace */

/**
 * One machine that builds, made out of this one. All that is absent is as on the first host.
 * @typedef {object} Host
 * @property {string} name
 * @property {number} major of Node.js
 * @property {boolean} [emulated] arm64, by qemu
 * @property {boolean} [elsewhere] another folder, home, host name, umask, language and time zone
 * @property {boolean} [plainUser] neither root nor anybody with an account
 * @property {boolean} [oneCpu]
 * @property {boolean} [inMemory] on a file system that lists files in another order
 * @property {boolean} [otherProgram] with another build of this package
 */

/** Exact versions, by major: both CPUs have them as npm packages. */
export const NODE_VERSIONS = /** @type {Readonly<Record<number, string>>} */ ({
  20: "20.20.2",
  22: "22.23.3",
  24: "24.21.0",
});

/** A user that no machine has. */
export const PLAIN_UID = 54_321;

/** Where every user may write and nothing reaches the disk. */
export const MEMORY_FOLDER = "/dev/shm";
/** What a host in memory needs there, in MiB: the program with its Node.js, for the images an unpacked one where steps run. */
const MEMORY_NEEDED = { images: 2048, others: 512 };
const TMPFS_MAGIC = 0x01021994;

const CURRENT = Number(process.versions.node.split(".")[0]);

/** The first is what the others are compared with. */
export const HOSTS = /** @type {readonly Host[]} */ ([
  { name: "first", major: CURRENT },
  { name: "elsewhere", major: CURRENT, elsewhere: true },
  { name: "plain-user", major: CURRENT, plainUser: true },
  { name: "one-cpu", major: CURRENT, oneCpu: true },
  { name: "other-order", major: CURRENT, inMemory: true },
  ...[20, 22, 24].filter((major) => major !== CURRENT).map((major) => ({ name: `node-${major}`, major })),
  { name: "all-at-once", major: 24, elsewhere: true, plainUser: true, oneCpu: true, inMemory: true },
  { name: "arm64", major: 20, emulated: true },
]);

/** The hosts of a quick run: all that can be changed without an emulator. */
export const QUICK_HOSTS = ["all-at-once"];

/** A host that differs in the program alone, to compare this package with another build of it. */
export const OTHER_PROGRAM = /** @type {Host} */ ({
  name: "other-program",
  major: CURRENT,
  otherProgram: true,
});

/**
 * Why a host cannot be had on this machine. Absent: it can.
 * @param {Host} host
 * @param {readonly Workspace[]} workspaces what is to be built
 * @returns {string | undefined}
 */
export function reasonAgainst(host, workspaces) {
  if (process.platform !== "linux") return "needs Linux";
  const missing = programsOf(host).filter((program) => !isOnPath(program));
  if (missing.length > 0) return `needs ${missing.join(", ")}`;
  if (host.plainUser && !isRoot()) return "only root can become another user";
  const isLarge = workspaces.some(({ programs }) => programs === "shared");
  const memory = isLarge ? MEMORY_NEEDED.images : MEMORY_NEEDED.others;
  return (
    (host.emulated && reasonAgainstEmulation(workspaces)) ||
    (host.inMemory && reasonAgainstMemory(memory)) ||
    undefined
  );
}

/** @param {Host} host */
function programsOf({ emulated, plainUser, oneCpu }) {
  return [
    ...(plainUser ? ["setpriv", "chown"] : []),
    ...(oneCpu ? ["taskset"] : []),
    ...(emulated ? ["qemu-aarch64-static", "tar", ...(hasRule() ? [] : ["unshare"])] : []),
  ];
}

/** @param {readonly Workspace[]} workspaces */
function reasonAgainstEmulation(workspaces) {
  if (!workspaces.some(({ name }) => name === SYSROOT_WORKSPACE)) return `builds only ${SYSROOT_WORKSPACE}`;
  if (process.arch !== "x64") return "is for hosts of amd64";
  if (hasRule()) return undefined;
  if (findBinfmtRule() === undefined) return "needs qemu's binfmt rule (Debian: qemu-user-static)";
  const [major = 0, minor = 0] = release().split(".").map(Number);
  // Since then a user namespace may have rules of its own.
  return major > 6 || (major === 6 && minor >= 7) ? undefined : "needs qemu's binfmt rule to be registered";
}

/** Whether the kernel starts arm64 programs by qemu already. */
export function hasRule() {
  const file = "/proc/sys/fs/binfmt_misc/qemu-aarch64";
  return existsSync(file) && readFileSync(file, "utf8").startsWith("enabled");
}

/** Whether a program may be given a host name of its own. */
export function canNameHost() {
  return isRoot() && spawnSync("unshare", ["--uts", "true"]).status === 0;
}

function isRoot() {
  return process.getuid?.() === 0;
}

/** Debian's rule that has the kernel start arm64 programs by qemu. Absent: it is not installed. */
export function findBinfmtRule() {
  return ["/usr/lib/binfmt.d/qemu-aarch64.conf", "/lib/binfmt.d/qemu-aarch64.conf"].find(existsSync);
}

/** The first CPU that this process may use. */
export function firstCpu() {
  const status = readFileSync("/proc/self/status", "utf8");
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(status)?.[1] ?? "0";
}

/** @param {number} memory MiB */
function reasonAgainstMemory(memory) {
  const { type, bsize, bavail } = statfsSync(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : "/");
  if (type !== TMPFS_MAGIC) return `needs a tmpfs at ${MEMORY_FOLDER}`;
  return bsize * bavail < memory * 1024 ** 2 ? `needs ${memory} MiB at ${MEMORY_FOLDER}` : undefined;
}

/** @param {string} program */
function isOnPath(program) {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => existsSync(join(folder, program)));
}
