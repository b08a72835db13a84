// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIP } from "node:net";
import { ToolingError } from "../core/error.ts";
import type { HttpAnswer, HttpDispatcher } from "../core/http-message.ts";

/** One request of {@link getOverHttp}. */
export interface HttpGetOptions {
  readonly dispatcher: HttpDispatcher;
  readonly headers: Readonly<Record<string, string>>;
  /** For the address's own origin only. Absent: what the address itself holds. */
  readonly authorization?: string | undefined;
  /** Milliseconds without a byte after which the request fails. */
  readonly idleTimeout: number;
  readonly signal?: AbortSignal | undefined;
}

const MOST_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * One GET, redirects followed by hand: at most ten, never from https to http, never from a public host to an
 * address inside (loopback, private, link-local), and credentials of the address only to its own origin.
 *
 * @throws {ToolingError} `DOWNLOAD_FAILED` for a redirect that is refused; network errors pass through.
 */
export async function getOverHttp(address: string, options: HttpGetOptions): Promise<HttpAnswer> {
  const { dispatcher, headers, idleTimeout, signal } = options;
  const first = parseAddress(address);
  const credentials = basicAuthorization(first) ?? options.authorization;
  let url = withoutUserinfo(first);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const authorization =
      credentials !== undefined && url.origin === first.origin ? { authorization: credentials } : {};
    const response = await dispatcher.request(url, {
      method: "GET",
      headers: { "accept-encoding": "identity", "user-agent": "toolbox", ...headers, ...authorization },
      headersTimeout: idleTimeout,
      bodyTimeout: idleTimeout,
      signal,
    });
    const location = response.headers.location;
    if (!REDIRECTS.has(response.statusCode) || typeof location !== "string") return response;
    await response.body.dump();
    url = nextAddress(url, location, first);
  }
  throw refused(first, `is redirected more than ${MOST_REDIRECTS} times`);
}

/** Host and path of an address: fit for messages, without credentials and query. */
export function describeAddress(address: string | URL): string {
  const url = typeof address === "string" ? parseAddress(address) : address;
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** @throws {ToolingError} `DOWNLOAD_FAILED` */
function parseAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw new ToolingError("DOWNLOAD_FAILED", "address of a download is not an http or https address", {
    hint: "Correct the mirror in toolbox.yaml or in the settings of this machine.",
  });
}

function nextAddress(from: URL, location: string, first: URL): URL {
  if (!URL.canParse(location, from.href))
    throw refused(first, "is redirected to something that is no address");
  const to = withoutUserinfo(new URL(location, from));
  if (to.protocol !== "https:" && to.protocol !== "http:")
    throw refused(first, `is redirected to "${to.protocol}"`);
  if (from.protocol === "https:" && to.protocol === "http:")
    throw refused(first, "is redirected from https to http");
  if (isInsideHost(to.hostname) && !isInsideHost(first.hostname)) {
    throw refused(first, `is redirected to the inside address "${to.hostname}"`);
  }
  return to;
}

function refused(url: URL, what: string): ToolingError {
  return new ToolingError("DOWNLOAD_FAILED", `"${describeAddress(url)}" ${what}`, {
    hint: "Check the mirror and any proxy between it and this machine; the redirect was not followed.",
  });
}

const inside = new BlockList();
inside.addSubnet("0.0.0.0", 8);
inside.addSubnet("10.0.0.0", 8);
inside.addSubnet("100.64.0.0", 10);
inside.addSubnet("127.0.0.0", 8);
inside.addSubnet("169.254.0.0", 16);
inside.addSubnet("172.16.0.0", 12);
inside.addSubnet("192.168.0.0", 16);
inside.addAddress("::1", "ipv6");
inside.addSubnet("fc00::", 7, "ipv6");
inside.addSubnet("fe80::", 10, "ipv6");

/** Only literal addresses and `localhost`: what a name resolves to is the proxy's or the resolver's matter. */
function isInsideHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  const family = isIP(bare);
  if (family === 0) return bare === "localhost" || bare.endsWith(".localhost");
  return inside.check(bare, family === 6 ? "ipv6" : "ipv4");
}

function basicAuthorization(url: URL): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function withoutUserinfo(url: URL): URL {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return bare;
}
