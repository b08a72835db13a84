// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What `npm install` puts on PATH as `toolbox`. */
const TOOLBOX = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "dist", "cli", "main.js");

/**
 * @typedef {object} Surroundings
 * @property {string} cwd
 * @property {Record<string, string>} env added to ours
 * @property {AbortSignal} signal asks the program to end
 * @property {boolean} [quiet] keeps to itself what it tells people
 */

/**
 * Runs `toolbox` and gives what it printed on stdout; what it tells people goes straight through.
 *
 * @param {readonly string[]} args
 * @param {Surroundings} surroundings
 */
export async function toolbox(args, { cwd, env, signal, quiet = false }) {
  const child = spawn(process.execPath, [TOOLBOX, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", quiet ? "ignore" : "inherit"],
  });
  const stop = () => child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  const [code] = await once(child, "close");
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`toolbox ${args.join(" ")} ended with ${code}${output && `\n${output}`}`);
  return output;
}

/**
 * Runs `toolbox --json` and gives its result.
 *
 * @param {readonly string[]} args
 * @param {Surroundings} surroundings
 */
export async function toolboxJson(args, surroundings) {
  return JSON.parse(await toolbox(["--json", ...args], surroundings));
}

/**
 * Starts `toolbox registry serve` over a folder, on a port that the kernel chooses.
 *
 * @param {string} folder
 * @param {Surroundings} surroundings
 * @returns {Promise<{ host: string, stop: () => Promise<void> }>}
 */
export async function serveRegistry(folder, { cwd, env }) {
  const args = ["registry", "serve", "--listen", "127.0.0.1:0", "--store", folder];
  const child = spawn(process.execPath, [TOOLBOX, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true, // a Ctrl-C on the terminal reaches us first: the registry ends after what still uses it
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGTERM");
    await closed;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const host = /127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (host === undefined) continue;
    child.stdout.resume();
    return { host, stop };
  }
  throw new Error("the registry ended before it said where it listens");
}
