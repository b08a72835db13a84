// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Starts and ends programs that are not measured themselves. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { plainEnvironment } from "./measure.mjs";

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
  const child = spawn(program, args, {
    cwd: cwd ?? process.cwd(),
    env: { ...plainEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
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
