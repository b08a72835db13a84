// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import type { HttpDispatcher } from "../../core/http-message.ts";
import { type Credentials, formatBasic } from "./credentials.ts";
import { exchange, type HttpRequest, type HttpResponse } from "./http-exchange.ts";
import { checkZone } from "./network-zone.ts";
import { describeRefusal } from "./registry-failure.ts";
import { isTemporaryStatus } from "../../core/temporary-failure.ts";
import { DEFAULT_RETRY_POLICY, pause, RetryClock } from "./retry.ts";

/** Where and for what a token is asked. */
export interface TokenRequest {
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credentials: Credentials | undefined;
  /** The API of the registry. */
  readonly registry: URL;
  readonly userAgent: string;
  readonly signal: AbortSignal | undefined;
}

/** A bearer token. */
export interface AccessToken {
  readonly token: string;
  /** Milliseconds from now until it should be replaced. */
  readonly lifetime: number;
}

const LONGEST_ANSWER = 128 * 1024;
const TIMEOUT = 60_000;
const CLIENT_ID = "toolbox";

/**
 * Asks the token service that a registry names (Docker token authentication; OAuth 2 for identity tokens).
 *
 * @throws {ToolingError} `AUTH_DENIED`, `AUTH_REQUIRED`, `POLICY_REFUSED`, `REGISTRY_FAILED`
 */
export async function fetchToken(dispatcher: HttpDispatcher, request: TokenRequest): Promise<AccessToken> {
  const realm = checkRealm(request);
  const { credentials } = request;
  if (credentials?.kind === "identity-token") {
    const response = await send(dispatcher, grantRequest(realm, request, credentials.token));
    // Services that do not know OAuth 2 answer so; the plain way then gives what anybody may have.
    if (response.status !== 404 && response.status !== 405) return readToken(response, "POST", request);
    await response.body.dump();
  }
  return readToken(await send(dispatcher, plainRequest(realm, request)), "GET", request);
}

/** A realm gets the password, so it must be as safe as the registry itself. */
function checkRealm({ realm, registry }: TokenRequest): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && registry.protocol === "http:");
  if (url === undefined || !isSafe || url.username !== "" || url.password !== "") {
    throw new ToolingError(
      "POLICY_REFUSED",
      `"${registry.host}" names a token service that is not a safe https address`,
      {
        hint: "Do not log in there; ask whoever runs that registry.",
      },
    );
  }
  checkZone(url, registry, "token service");
  return url;
}

function plainRequest(
  realm: URL,
  { service, scopes, credentials, userAgent, signal }: TokenRequest,
): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const authorization = credentials?.kind === "password" ? { authorization: formatBasic(credentials) } : {};
  return {
    method: "GET",
    url,
    headers: { "user-agent": userAgent, ...authorization },
    headersTimeout: TIMEOUT,
    bodyTimeout: TIMEOUT,
    signal,
  };
}

function grantRequest(
  realm: URL,
  { service, scopes, userAgent, signal }: TokenRequest,
  token: string,
): HttpRequest {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service: service ?? realm.host,
    scope: scopes.join(" "),
    client_id: CLIENT_ID,
    refresh_token: token,
  });
  return {
    method: "POST",
    url: realm,
    headers: { "user-agent": userAgent, "content-type": "application/x-www-form-urlencoded" },
    body: Buffer.from(form.toString()),
    headersTimeout: TIMEOUT,
    bodyTimeout: TIMEOUT,
    signal,
  };
}

async function send(dispatcher: HttpDispatcher, request: HttpRequest): Promise<HttpResponse> {
  const clock = new RetryClock({ ...DEFAULT_RETRY_POLICY, tries: 3 });
  for (;;) {
    const response = await exchange(dispatcher, request);
    const delay = isTemporaryStatus(response.status) ? clock.next(undefined) : undefined;
    if (delay === undefined) return response;
    await response.body.dump();
    await pause(delay, request.signal);
  }
}

async function readToken(
  response: HttpResponse,
  method: string,
  request: TokenRequest,
): Promise<AccessToken> {
  if (response.status !== 200) {
    throw await describeRefusal(response, method, { isLoggedIn: request.credentials !== undefined });
  }
  const tooLong = (): ToolingError => noToken(response, "sends an answer that is too long for a token");
  const body = response.body as AsyncIterable<Uint8Array>;
  const bytes = await collectBytes(body, { limit: LONGEST_ANSWER, onExcess: tooLong });
  const answer = parseAnswer(bytes);
  const token = [answer["token"], answer["access_token"]].find(
    (text) => typeof text === "string" && text !== "",
  );
  if (typeof token !== "string" || /[^\u0021-\u007e]/.test(token)) throw noToken(response, "sends no token");
  const seconds = Number(answer["expires_in"] ?? 60);
  // A little before its end, so that it does not end on its way.
  return { token, lifetime: Math.max(1, Number.isFinite(seconds) ? seconds : 60) * 900 };
}

function parseAnswer(bytes: Uint8Array): Record<string, unknown> {
  try {
    return { ...(JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>) };
  } catch {
    return {};
  }
}

function noToken({ url }: HttpResponse, what: string): ToolingError {
  return new ToolingError("REGISTRY_FAILED", `token service "${url.host}" ${what}`, {
    hint: "Ask whoever runs that registry.",
  });
}
