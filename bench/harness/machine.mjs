// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** What a result has to say about where it comes from. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";

/** @typedef {ReturnType<typeof describeMachine>} Machine */

export function describeMachine() {
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: totalmem(),
    system: systemName(),
    kernel: release(),
    node: process.version,
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
    commit: firstLine("git", ["rev-parse", "--short", "HEAD"]) ?? "unknown",
  };
}

/** Whether results of the one can stand beside results of the other. @param {Machine} one @param {Machine} other */
export function isSameMachine(one, other) {
  return /** @type {const} */ (["cpu", "cores", "memory", "system", "node"]).every(
    (what) => one[what] === other[what],
  );
}

/**
 * The first line that a program answers. Absent: it is not there.
 *
 * @param {string} program @param {readonly string[]} args
 */
export function firstLine(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? `${stdout}${stderr}`.trim().split("\n")[0] : undefined;
}

/** @param {string} program */
export function hasProgram(program) {
  return spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0;
}

function systemName() {
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
}
