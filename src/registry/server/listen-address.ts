// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import { ToolingError } from "../../core/error.ts";

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0: the system picks one. */
  readonly port: number;
  readonly isLoopback: boolean;
}

/**
 * Reads `127.0.0.1:5000`, `[::1]:0`, `:5000` (loopback), `0.0.0.0:5000`.
 *
 * @throws {ToolingError} `CONFIG_INVALID`
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new ToolingError("CONFIG_INVALID", `listen address "${text}" is not HOST:PORT`, {
      hint: 'Write it like "127.0.0.1:5000", or with port 0 to have one picked.',
    });
  }
  const host = match[1] ?? (match[2] === "" ? "127.0.0.1" : match[2]) ?? "127.0.0.1";
  return { host, port, isLoopback: isLoopbackHost(host) };
}

/** Whether a host name or address, without brackets, means this machine. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^::ffff:/, "");
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return isIP(name) === 4 && name.startsWith("127.");
}
