// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { HttpBody, HttpDispatcher, HttpRequestOptions } from "../../core/http-message.ts";
import { checkZone } from "./network-zone.ts";

/** One HTTP request. */
export interface HttpRequest extends HttpRequestOptions {
  readonly url: URL;
}

/** An answer whose body is not read yet: read it or `dump()` it. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: HttpBody;
  /** What answered in the end. */
  readonly url: URL;
}

const MOST_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request and follows redirects of those without a body, by hand: the headers that belong to the first host
 * (`Authorization` above all) do not travel to another one, and unsafe targets are refused.
 *
 * @throws {ToolingError} `POLICY_REFUSED`, `REGISTRY_FAILED`
 */
export async function exchange(dispatcher: HttpDispatcher, first: HttpRequest): Promise<HttpResponse> {
  let request = first;
  for (let hops = 0; ; hops += 1) {
    const { url, ...options } = request;
    const answer = await dispatcher.request(url, options);
    // Whoever reads the body sees its failures; when nobody does, they must not end the process.
    answer.body.on("error", () => undefined);
    const response = { status: answer.statusCode, headers: answer.headers, body: answer.body, url };
    const location = REDIRECTS.has(response.status) ? headerOf(response, "location") : undefined;
    if (location === undefined || (options.method !== "GET" && options.method !== "HEAD")) return response;
    await answer.body.dump();
    if (hops >= MOST_REDIRECTS) {
      throw new ToolingError(
        "REGISTRY_FAILED",
        `"${first.url.host}" redirects more than ${MOST_REDIRECTS} times`,
        {
          hint: "Ask whoever runs that registry.",
        },
      );
    }
    request = redirect(request, first, location);
  }
}

function redirect(request: HttpRequest, first: HttpRequest, location: string): HttpRequest {
  const url = resolveLocation(location, request.url, "redirect");
  checkZone(url, first.url, "redirect");
  if (url.origin === request.url.origin) return { ...request, url };
  return { ...request, url, headers: keepNeutral(request.headers) };
}

/** Only what is known to belong to no host in particular. */
function keepNeutral(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) =>
      ["accept", "range", "user-agent", "accept-encoding"].includes(name),
    ),
  );
}

/**
 * Where a `Location` or `Link` leads, seen from the URL that sent it.
 *
 * @throws {ToolingError} `POLICY_REFUSED` from https to http, `REGISTRY_FAILED` when it is no URL
 */
export function resolveLocation(location: string, base: URL, what: string): URL {
  const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new ToolingError("REGISTRY_FAILED", `"${base.host}" sends a ${what} that leads nowhere`, {
      hint: "Ask whoever runs that registry.",
    });
  }
  if (base.protocol === "https:" && url.protocol === "http:") {
    throw new ToolingError("POLICY_REFUSED", `"${base.host}" sends a ${what} from https to http`, {
      hint: "Ask whoever runs that registry to serve all of it over TLS.",
    });
  }
  url.username = "";
  url.password = "";
  url.hash = "";
  return url;
}

/** The first value of a header. */
export function headerOf({ headers }: Pick<HttpResponse, "headers">, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}
