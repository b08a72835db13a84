// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { hasPrograms, makeFolder } from "./programs.ts";
import type { RunningRegistry } from "./programs-toolbox.ts";

const PATIENCE = 20_000;

/** A docker-registry that can be killed and started again, over the same folder and on the same port. */
export interface RunningDockerRegistry extends RunningRegistry {
  readonly restart: () => Promise<void>;
}

/** Whether {@link serveDockerRegistry} can work here. */
export function canServeDockerRegistry(): boolean {
  return hasPrograms("docker-registry");
}

/**
 * Starts Debian's docker-registry, which has no referrers API, over a folder of its own.
 *
 * @param auth The `auth` section of its configuration. Absent: everybody may do everything.
 */
export async function serveDockerRegistry(auth?: object): Promise<RunningDockerRegistry> {
  const folder = await makeFolder("docker-registry");
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder.path, "config.yml");
  const settings = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: join(folder.path, "data") }, delete: { enabled: true } },
    http: { addr: host },
    ...(auth !== undefined && { auth }),
  };
  await writeFile(config, JSON.stringify(settings));
  let child = start(config);
  const stop = async (): Promise<void> => {
    await end(child, "SIGTERM");
    await folder.remove();
  };
  const restart = async (): Promise<void> => {
    await end(child, "SIGKILL");
    child = start(config);
    await waitFor(`http://${host}/v2/`);
  };
  try {
    await waitFor(`http://${host}/v2/`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, stop, restart };
}

function start(config: string): ChildProcess {
  return spawn("docker-registry", ["serve", config], { stdio: "ignore" });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill(signal);
  await closed;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function waitFor(url: string): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true || answer?.status === 401) return;
    if (performance.now() > end) throw new Error(`${url} does not answer`);
    await pause(50);
  }
}
