// SPDX-License-Identifier: Apache-2.0
import type { Dispatcher } from "undici";
import { type ConnectionSettings, trustedRoots } from "./connection-settings.ts";
import type { HttpAnswer, HttpDispatcher, HttpRequestOptions } from "./http-message.ts";

/** Which proxy each request goes through. Empty text: none. */
export interface ProxyRoutes {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
}

/** Connections through proxies. The library that knows how takes as long to load as a whole command: it comes last. */
export class ProxiedConnections implements HttpDispatcher {
  readonly #routes: ProxyRoutes;
  readonly #settings: ConnectionSettings;
  #agent: Promise<Dispatcher> | undefined;

  constructor(routes: ProxyRoutes, settings: ConnectionSettings) {
    this.#routes = routes;
    this.#settings = settings;
  }

  async request(url: URL, { body, signal, ...options }: HttpRequestOptions): Promise<HttpAnswer> {
    this.#agent ??= this.#open();
    const [dispatcher, { request }] = await Promise.all([this.#agent, import("undici")]);
    return await request(url, {
      ...options,
      dispatcher,
      headers: { ...options.headers },
      body: (body ?? null) as Uint8Array | null,
      signal: signal ?? null,
    });
  }

  async destroy(): Promise<void> {
    await (await this.#agent)?.destroy();
  }

  async #open(): Promise<Dispatcher> {
    const { EnvHttpProxyAgent } = await import("undici");
    const connect = { ...(await trustedRoots(this.#settings)), timeout: this.#settings.connectTimeout };
    // Empty text, not absent: what is absent undici takes from the environment.
    return new EnvHttpProxyAgent({ ...this.#routes, connect, requestTls: connect, proxyTls: connect });
  }
}
