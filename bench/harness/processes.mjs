// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Starts and ends programs that are not measured themselves. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
/** What interrupts the bench, for what is started elsewhere. */
export const interruption = new AbortController();

/**
 * Ends what runs and refuses to start more: the error that comes of it ends daemons and removes folders on its way, as
 * any other does.
 */
export function interrupt() {
  interruption.abort();
  for (const child of running) child.kill();
}

/** Takes part in {@link interrupt} for as long as it runs. @template {import("node:child_process").ChildProcess} C @param {C} child @returns {C} */
export function watched(child) {
  running.add(child);
  child.once("close", () => running.delete(child));
  if (interruption.signal.aborted) child.kill();
  return child;
}

/** The command line that is measured. */
export const TOOLBOX = `${import.meta.dirname}/../../dist/cli/main.js`;

/**
 * Stdout and stderr of a program that ends well.
 *
 * @param {string} program @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Readonly<Record<string, string>> }} [options]
 * @returns {Promise<string>}
 */
export async function outputOf(program, args, { cwd, env = {} } = {}) {
  const started = spawn(program, args, {
    cwd: cwd ?? process.cwd(),
    env: { ...plainEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const child = watched(started);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += String(chunk);
    });
  }
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}\n${output}`);
  return output;
}

/** Ends a process by its id and waits for that. @param {import("node:child_process").ChildProcess} child @param {NodeJS.Signals} [signal] */
export async function endProcess(child, signal = "SIGTERM") {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

/** A port of 127.0.0.1 that nobody listened on a moment ago, chosen by the kernel. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Seconds. @param {() => Promise<unknown>} work @returns {Promise<number>} */
export async function timeOf(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** What no peer may have an advantage or a disadvantage from is left out. */
export function plainEnvironment() {
  const { PATH = "", HOME = "", LANG, TMPDIR } = process.env;
  return { PATH, HOME, ...(LANG && { LANG }), ...(TMPDIR && { TMPDIR }) };
}
