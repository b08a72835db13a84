// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * What daemons take that work for a client: CPU time from `/proc/PID/stat` of the daemon, of its living children and of
 * those that it has waited for; peak memory as the largest `VmHWM` of them since {@link resetPeaks}.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** Clock ticks of `/proc/PID/stat` in a second; the same on every Linux that Node.js runs on. */
const TICKS = 100;

/** @param {readonly number[]} roots @returns {{ cpu: number, rss: number }} Seconds and bytes. */
export function readDaemons(roots) {
  const found = roots.length === 0 ? [] : familyOf(roots);
  return {
    cpu: found.reduce((total, pid) => total + cpuOf(pid), 0),
    rss: Math.max(0, ...found.map(peakOf)),
  };
}

/** Lets the kernel count peaks of memory anew, where it allows that. @param {readonly number[]} roots */
export function resetPeaks(roots) {
  for (const pid of roots.length === 0 ? [] : familyOf(roots)) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, "5");
    } catch {
      // Ended meanwhile, or not ours: its peak is then that of its whole life.
    }
  }
}

/** The processes and all that descend from them. @param {readonly number[]} roots @returns {number[]} */
function familyOf(roots) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(statOf(Number(name))[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [...roots];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** @param {number} pid */
function cpuOf(pid) {
  const fields = statOf(pid);
  const ticks = fields.slice(11, 15).map(Number);
  return ticks.reduce((total, value) => total + value, 0) / TICKS;
}

/** @param {number} pid */
function peakOf(pid) {
  const [, kilobytes = "0"] = /^VmHWM:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/status`)) ?? [];
  return Number(kilobytes) * 1024;
}

/** The fields after the program's name, which may hold spaces: state, parent, ... @param {number} pid */
function statOf(pid) {
  const text = readIfThere(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
