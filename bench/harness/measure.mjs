// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** What whole processes take: wall time, CPU time of the process and all that it waited for, peak memory. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { readDaemons, resetPeaks } from "./daemons.mjs";
import { plainEnvironment, watched } from "./processes.mjs";

const RUNNER = join(import.meta.dirname, "measure.py");

/**
 * One program to run.
 *
 * @typedef {object} Step
 * @property {readonly string[]} argv
 * @property {string} [cwd]
 * @property {Readonly<Record<string, string>>} [env] Beside what every program here gets.
 * @property {boolean} [mayFail] Absent: another exit code than 0 is an error.
 */

/**
 * Seconds and bytes. `rss` is the peak of the largest single process, as the kernel counts it.
 *
 * @typedef {{ wall: number, cpu: number, rss: number }} Cost
 */

/**
 * Runs steps one after the other and adds up what they took; the time between them does not count.
 * What `daemons` (process ids, with all their children) did meanwhile counts as CPU time of the work.
 *
 * @param {readonly Step[]} steps
 * @param {readonly number[]} [daemons]
 * @returns {Promise<Cost>}
 */
export async function measureSteps(steps, daemons = []) {
  const before = readDaemons(daemons);
  resetPeaks(daemons);
  const costs = [];
  for (const step of steps) costs.push(await runMeasured(step));
  const after = readDaemons(daemons);
  return {
    wall: sum(costs.map(({ wall }) => wall)),
    cpu: sum(costs.map(({ user, system }) => user + system)) + after.cpu - before.cpu,
    rss: Math.max(after.rss, ...costs.map(({ rss }) => rss)),
  };
}

/**
 * @param {Step} step
 * @returns {Promise<{ status: number, wall: number, user: number, system: number, rss: number }>}
 */
async function runMeasured({ argv, cwd, env = {}, mayFail = false }) {
  const started = spawn("python3", [RUNNER, ...argv], {
    cwd: cwd ?? process.cwd(),
    env: { ...plainEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const child = watched(started);
  const [output, errors, cost] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    textOf(child.stdio[3]),
    once(child, "close"),
  ]);
  if (cost === "") throw new Error(`"${argv.join(" ")}" did not start\n${errors}`);
  const result = JSON.parse(cost);
  if (result.status !== 0 && !mayFail)
    throw new Error(`"${argv.join(" ")}" ended with ${result.status}\n${output}${errors}`);
  return result;
}

/** @param {unknown} stream A pipe of a child. */
async function textOf(stream) {
  let text = "";
  for await (const part of /** @type {AsyncIterable<Uint8Array>} */ (stream)) text += String(part);
  return text;
}

/** @param {readonly number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
