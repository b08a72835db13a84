// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { hasPrograms, makeFolder } from "./programs.ts";
import type { RunningRegistry } from "./programs-toolbox.ts";

const PATIENCE = 20_000;

/** Whether {@link serveDockerRegistry} can work here. */
export function canServeDockerRegistry(): boolean {
  return hasPrograms("docker-registry");
}

/**
 * Starts Debian's docker-registry, which has no referrers API, over a folder of its own.
 *
 * @param auth The `auth` section of its configuration. Absent: everybody may do everything.
 */
export async function serveDockerRegistry(auth?: object): Promise<RunningRegistry> {
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
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    }
    await folder.remove();
  };
  try {
    await waitFor(`http://${host}/v2/`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, stop };
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
