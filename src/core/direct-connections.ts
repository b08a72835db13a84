// SPDX-License-Identifier: Apache-2.0
import { Agent, request as sendPlain } from "node:http";
import { type ConnectionSettings, trustedRoots } from "./connection-settings.ts";
import { exchangeOverHttp, type RequestOpener } from "./direct-exchange.ts";
import type { HttpAnswer, HttpDispatcher, HttpRequestOptions } from "./http-message.ts";

/** Milliseconds that an idle connection is kept: less than servers keep theirs, so that none is used as it closes. */
const IDLE = 4000;

/** Connections without a proxy, by the client that Node.js has within: it loads in 5 ms and parses natively. */
export class DirectConnections implements HttpDispatcher {
  readonly #settings: ConnectionSettings;
  readonly #agents: Agent[] = [];
  #plain: RequestOpener | undefined;
  #secure: Promise<RequestOpener> | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  async request(url: URL, options: HttpRequestOptions): Promise<HttpAnswer> {
    const open = url.protocol === "https:" ? await (this.#secure ??= this.#openSecure()) : this.#openPlain();
    return exchangeOverHttp(open, url, { ...options, connectTimeout: this.#settings.connectTimeout });
  }

  async destroy(): Promise<void> {
    for (const agent of this.#agents) agent.destroy();
  }

  #openPlain(): RequestOpener {
    if (this.#plain === undefined) {
      const agent = new Agent({ keepAlive: true, timeout: IDLE });
      this.#agents.push(agent);
      this.#plain = (url, options) => sendPlain(url, { ...options, agent });
    }
    return this.#plain;
  }

  async #openSecure(): Promise<RequestOpener> {
    const [{ Agent: SecureAgent, request }, roots] = await Promise.all([
      import("node:https"),
      trustedRoots(this.#settings),
    ]);
    const agent = new SecureAgent({ keepAlive: true, timeout: IDLE, ...roots });
    this.#agents.push(agent);
    return (url, options) => request(url, { ...options, agent });
  }
}
