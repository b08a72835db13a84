// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { canNameHost, findBinfmtRule, firstCpu, hasRule, PLAIN_UID } from "./hosts.mjs";

/** @typedef {import("./hosts.mjs").Host} Host */

/**
 * Where a host has its things.
 * @typedef {object} HostPlace
 * @property {string} folder
 * @property {string} program the command line to build with
 * @property {string} node
 * @property {string} workspaces a folder of workspaces
 * @property {string} cache
 * @property {string} store
 * @property {string} home
 * @property {string} [sysroot] the C library of an emulated Node.js
 */

/** Run by sh before the command that follows it. */
const REGISTER_QEMU =
  'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && cat "$0" >/proc/sys/fs/binfmt_misc/register && exec "$@"';
const SET_HOSTNAME = 'echo "$0" >/proc/sys/kernel/hostname && exec "$@"';
const SET_UMASK = 'umask "$0" && exec "$@"';

/**
 * The command that starts Node.js as it runs on a host: in namespaces that end with it, so that nothing of this machine
 * is changed.
 *
 * @param {Host} host
 * @param {HostPlace} place
 * @param {readonly string[]} argv of Node.js
 * @returns {string[]}
 */
export function hostCommand(host, { node }, argv) {
  const { emulated, elsewhere, plainUser, oneCpu } = host;
  const namespace = ["unshare", "--user", "--map-root-user", "--mount", "--fork", "--kill-child"];
  return [
    ...(emulated && !hasRule() ? [...namespace, "sh", "-c", REGISTER_QEMU, findBinfmtRule() ?? ""] : []),
    ...(elsewhere && canNameHost()
      ? ["unshare", "--uts", "sh", "-c", SET_HOSTNAME, "elsewhere.example.com"]
      : []),
    ...(oneCpu ? ["taskset", "--cpu-list", firstCpu()] : []),
    ...(plainUser ? ["setpriv", `--reuid=${PLAIN_UID}`, `--regid=${PLAIN_UID}`, "--clear-groups"] : []),
    "sh",
    "-c",
    SET_UMASK,
    elsewhere ? "077" : "022",
    node,
    ...argv,
  ];
}

/**
 * @param {Host} host
 * @param {HostPlace} place
 * @returns {NodeJS.ProcessEnv}
 */
export function hostEnvironment({ elsewhere, emulated }, { cache, store, home, sysroot }) {
  const kept = Object.entries(process.env).filter(
    // What npm tells its scripts, and settings of this product, are no business of a host.
    ([name]) => !/^(?:npm_|TOOLBOX_|XDG_|LC_|CI$|LANG|NODE_OPTIONS$|NODE_ENV$|INIT_CWD$)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    ...(elsewhere
      ? { LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", TZ: "Pacific/Kiritimati" }
      : { LANG: "C.UTF-8", LC_ALL: "C.UTF-8", TZ: "UTC" }),
    ...(emulated ? { QEMU_LD_PREFIX: sysroot } : {}),
    HOME: home,
    TOOLBOX_CACHE: cache,
    TOOLBOX_STORE: store,
  };
}
