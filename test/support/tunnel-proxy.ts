// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";

/** Where a tunnel leads, or the status that refuses it. */
export type TunnelEnd = { readonly host: string; readonly port: number } | number;

/** A proxy that runs here. */
export interface TunnelProxy {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * An HTTP proxy that makes tunnels (RFC 9110 section 9.3.6) and forwards no request: those are answered with `status`.
 *
 * @param endOf Looks at what a client asks to be connected to.
 */
export async function startTunnelProxy(
  endOf: (request: IncomingMessage) => TunnelEnd,
  status = 501,
): Promise<TunnelProxy> {
  const server = createServer((_, response) => response.writeHead(status).end());
  server.on("connect", (request, socket) => {
    // Who is refused may be gone before he has read it.
    socket.on("error", () => socket.destroy());
    const end = endOf(request);
    if (typeof end === "number") {
      socket.end(`HTTP/1.1 ${end} No\r\n\r\n`);
      return;
    }
    const onward = connect(end.port, end.host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
