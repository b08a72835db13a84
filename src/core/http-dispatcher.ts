// SPDX-License-Identifier: Apache-2.0
import { DirectConnections } from "./direct-connections.ts";
import type { HttpDispatcher } from "./http-message.ts";
import { ProxiedConnections } from "./proxied-connections.ts";

/** Proxies, as the environment of most programs names them. Absent or empty: none. */
export interface ProxySettings {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  /** Hosts that are reached directly, separated by commas; `*` for all. */
  readonly noProxy?: string | undefined;
}

/** How connections are made. */
export interface HttpDispatcherOptions {
  readonly proxy?: ProxySettings | undefined;
  /**
   * Certificates, PEM, that are trusted besides those that Node.js brings. A function is asked once, before the
   * first connection that needs them; what it throws fails that request.
   */
  readonly ca?: readonly string[] | (() => Promise<readonly string[]>) | undefined;
  /** Milliseconds until a connection must stand. Absent: 30 000. */
  readonly connectTimeout?: number | undefined;
}

/**
 * Makes the connections of all HTTP that this package does. The environment is not read: what it says arrives as
 * arguments. Keep one and share it, it holds the open connections; idle ones do not keep a process alive.
 */
export function createHttpDispatcher({
  proxy = {},
  ca = [],
  connectTimeout = 30_000,
}: HttpDispatcherOptions = {}): HttpDispatcher {
  const readTrusted = typeof ca === "function" ? ca : async () => ca;
  const { httpProxy = "", httpsProxy = "", noProxy = "" } = proxy;
  if (httpProxy === "" && httpsProxy === "") return new DirectConnections({ readTrusted, connectTimeout });
  return new ProxiedConnections({ httpProxy, httpsProxy, noProxy }, { readTrusted, connectTimeout });
}
