// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";

/** Ends a server, and what still hangs on it. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Answers with bytes until the client goes away, as fast as it takes them. */
export function pourEndlessly(response: ServerResponse): void {
  const chunk = Buffer.alloc(256 * 1024, "x");
  const pour = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", pour);
  pour();
}
