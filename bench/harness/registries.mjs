// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Registries as processes of their own, and what they hold. */
import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { endProcess, freePort, TOOLBOX } from "./processes.mjs";

/** @typedef {{ host: string, pid: number, stop: () => Promise<void> }} Registry */

/** The embedded registry. @param {string} folder @returns {Promise<Registry>} */
export async function serveToolbox(folder) {
  const args = [TOOLBOX, "registry", "serve", "--listen", "127.0.0.1:0", "--store", folder];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const host = /127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (host === undefined) continue;
    child.stdout.resume();
    return { host, pid: child.pid ?? 0, stop: () => endProcess(child, "SIGKILL") };
  }
  throw new Error("toolbox does not serve; run npm run build");
}

/** Debian's docker-registry over a folder, which may hold content already. @param {string} folder @returns {Promise<Registry>} */
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
    if (answer?.ok === true) return { host, pid: child.pid ?? 0, stop: () => endProcess(child, "SIGKILL") };
    await pause(50);
  }
  throw new Error("docker-registry does not serve");
}

/** @typedef {{ digest: string, size: number }} Blob */

const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/**
 * The layers that a name stands for; of an index, those of its first platform.
 *
 * @param {string} host @param {string} repository @param {string} reference @returns {Promise<Blob[]>}
 */
export async function readLayers(host, repository, reference) {
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${reference}`, {
    headers: { accept: MANIFESTS },
  });
  if (!answer.ok) throw new Error(`${repository}:${reference} is not in the registry: ${answer.status}`);
  /** @type {any} */
  const document = await answer.json();
  if (document.manifests !== undefined) return readLayers(host, repository, document.manifests[0].digest);
  return document.layers.map((/** @type {Blob} */ { digest, size }) => ({ digest, size }));
}
