// SPDX-License-Identifier: Apache-2.0
import { Agent, type AgentOptions, type ClientRequestArgs, request as sendPlain } from "node:http";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { type ConnectionSettings, trustedRoots } from "./connection-settings.ts";
import { exchangeOverHttp, type RequestOpener } from "./direct-exchange.ts";
import type { HttpAnswer, HttpDispatcher, HttpRequestOptions } from "./http-message.ts";

/** Milliseconds that an idle connection is kept: less than servers keep theirs, so that none is used as it closes. */
const IDLE = 4000;

/**
 * Bytes that a connection takes in or gathers to send before it says that it is full. The 16 KiB that Node.js thinks of
 * would have it stop and start with each chunk, and a copy wait for the one end while the other is ready.
 */
const FULL = 1024 * 1024;

/** Passed on to the sockets, which know `highWaterMark`. */
const AGENT: AgentOptions & { readonly highWaterMark: number } = {
  keepAlive: true,
  timeout: IDLE,
  highWaterMark: FULL,
};

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
      const agent = new LargeReadAgent(AGENT);
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
    const agent = new SecureAgent({ ...AGENT, ...roots });
    this.#agents.push(agent);
    return (url, options) => request(url, { ...options, agent });
  }
}

/** Bytes taken from the system at once. */
const LARGEST_READ = 1024 * 1024;

/**
 * Takes as much from a connection as has arrived, where Node.js takes 64 KiB and does all it does per chunk sixteen
 * times as often: four tenths of the CPU time of a copy. One buffer serves all connections, because what is in it is
 * parsed before the next is read, and the parser of `node:http` hands out copies.
 */
class LargeReadAgent extends Agent {
  readonly #buffer = Buffer.allocUnsafeSlow(LARGEST_READ);

  override createConnection(options: ClientRequestArgs): Socket {
    const callback = (size: number): boolean => {
      // Bytes that nobody has asked for must not become the next request's answer.
      if (!socket.emit("data", this.#buffer.subarray(0, size))) socket.destroy();
      return true;
    };
    const socket = connect({ ...(options as NetConnectOpts), onread: { buffer: this.#buffer, callback } });
    return socket;
  }
}
