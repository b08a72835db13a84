// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeFolder } from "./programs.ts";
import type { RunningRegistry } from "./programs-toolbox.ts";

/** Path of a zot program. Module proxies do not have zot, so it cannot be built where it is needed. */
const PROGRAM = process.env["TOOLBOX_ZOT"] ?? "";

/** Whether {@link serveZot} can work here. */
export function hasZot(): boolean {
  return PROGRAM !== "";
}

/**
 * Starts zot over a folder of its own, on a port that the kernel chooses.
 *
 * @param auth The `http.auth` section of its configuration. Absent: everybody may do everything.
 */
export async function serveZot(auth?: object): Promise<RunningRegistry> {
  const folder = await makeFolder("zot");
  const config = join(folder.path, "config.json");
  const settings = {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: join(folder.path, "data"), gc: false },
    http: { address: "127.0.0.1", port: "0", ...(auth !== undefined && { auth }) },
    log: { level: "info" },
  };
  await writeFile(config, JSON.stringify(settings));
  const said: string[] = [];
  const child = spawn(PROGRAM, ["serve", config], { stdio: ["ignore", "pipe", "pipe"] });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    }
    await folder.remove();
  };
  child.stderr.resume();
  child.on("error", (error) => said.push(String(error)));
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    const port = /"port":"?(\d+)"?[^]*kernel chosen port|kernel chosen port[^]*"port":"?(\d+)"?/.exec(line);
    if (port === null) continue;
    child.stdout.resume();
    return { host: `127.0.0.1:${port[1] ?? port[2]}`, stop };
  }
  await stop();
  throw new Error(`zot does not serve:\n${said.join("\n").slice(-2000)}`);
}
