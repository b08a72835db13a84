// SPDX-License-Identifier: Apache-2.0
import { rootCertificates } from "node:tls";
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";

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
  /** Certificates, PEM, that are trusted besides those that Node.js brings. */
  readonly ca?: readonly string[] | undefined;
  /** Milliseconds until a connection must stand. Absent: 30 000. */
  readonly connectTimeout?: number | undefined;
}

/**
 * Makes the connections of all HTTP that this package does. The environment is not read: what it says arrives as
 * arguments. Keep one and share it, it holds the open connections.
 */
export function createHttpDispatcher({
  proxy = {},
  ca = [],
  connectTimeout = 30_000,
}: HttpDispatcherOptions = {}): Dispatcher {
  const trust = ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] };
  const connect = { ...trust, timeout: connectTimeout };
  const { httpProxy = "", httpsProxy = "", noProxy = "" } = proxy;
  if (httpProxy === "" && httpsProxy === "") return new Agent({ connect });
  // Empty text, not absent: what is absent undici takes from the environment.
  return new EnvHttpProxyAgent({
    httpProxy,
    httpsProxy,
    noProxy,
    connect,
    requestTls: connect,
    proxyTls: connect,
  });
}
