// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { once } from "node:events";
import { createServer, connect } from "node:net";

/**
 * A door in front of a registry that counts what passes. It costs CPU time, so rounds that are timed do without it.
 *
 * @typedef {object} CountingProxy
 * @property {string} host
 * @property {() => { sent: number, received: number }} take Bytes to and from the registry since the last call.
 * @property {() => Promise<void>} stop
 */

/** @param {string} target HOST:PORT @returns {Promise<CountingProxy>} */
export async function serveCountingProxy(target) {
  const [hostname = "", port = ""] = target.split(":");
  let [sent, received] = [0, 0];
  /** @type {Set<import("node:net").Socket>} */
  const open = new Set();
  const server = createServer((client) => {
    const registry = connect(Number(port), hostname);
    for (const [from, to] of /** @type {const} */ ([
      [client, registry],
      [registry, client],
    ])) {
      open.add(from);
      from.on("data", (chunk) => {
        if (from === client) sent += chunk.length;
        else received += chunk.length;
      });
      from.pipe(to);
      // A peer that hangs up is no failure of the proxy.
      from
        .on("error", () => to.destroy())
        .once("close", () => {
          open.delete(from);
          to.end();
        });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    host: `127.0.0.1:${address.port}`,
    take: () => {
      const taken = { sent, received };
      [sent, received] = [0, 0];
      return taken;
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
