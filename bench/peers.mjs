// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Starts, runs and times what is measured. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

/** @typedef {{ host: string, pid: number, child: import("node:child_process").ChildProcess }} Served */

/** The embedded registry, as a process of its own. @param {string} folder @returns {Promise<Served>} */
export async function serveToolbox(folder) {
  const main = join(import.meta.dirname, "..", "dist", "cli", "main.js");
  const args = [main, "registry", "serve", "--listen", "127.0.0.1:0", "--store", folder];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const host = /127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (host === undefined) continue;
    child.stdout.resume();
    return { host, pid: child.pid ?? 0, child };
  }
  throw new Error("toolbox does not serve; run npm run build");
}

/** @param {string} folder @returns {Promise<Served>} */
export async function serveDockerRegistry(folder) {
  await mkdir(folder, { recursive: true });
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder, "config.yml");
  const storage = { filesystem: { rootdirectory: join(folder, "data") }, delete: { enabled: true } };
  await writeFile(
    config,
    JSON.stringify({ version: "0.1", log: { level: "error" }, storage, http: { addr: host } }),
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer?.ok === true) return { host, pid: child.pid ?? 0, child };
    await pause(50);
  }
  throw new Error("docker-registry does not serve");
}

/** @param {readonly Served[]} served */
export async function stop(...served) {
  for (const { child } of served) {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}

/** @param {string} program @param {readonly string[]} args @returns {Promise<string>} */
export async function outputOf(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
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

/** Seconds. @param {() => Promise<unknown>} work @returns {Promise<number>} */
export async function timeOf(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
