// SPDX-License-Identifier: Apache-2.0
import type { HttpDispatcher } from "../../core/http-message.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { parseChallenges } from "./challenge.ts";
import { type Credentials, type CredentialSource, formatBasic } from "./credentials.ts";
import { type AccessToken, fetchToken } from "./token.ts";

/** Where an {@link Authorizer} works. */
export interface AuthorizerOptions {
  /** As in references: the key of the credentials. */
  readonly registry: string;
  readonly repository: string;
  /** The API of the registry, the only place that gets what this makes. */
  readonly url: URL;
  readonly credentials: CredentialSource | undefined;
  readonly dispatcher: HttpDispatcher;
  readonly userAgent: string;
}

type Scheme =
  | { readonly kind: "basic" }
  | { readonly kind: "bearer"; readonly realm: string; readonly service: string | undefined };

interface CachedToken {
  readonly token: Promise<AccessToken>;
  /** Milliseconds on the monotonic clock. */
  goodUntil: number;
}

/** Knows how one registry wants to be asked, and keeps the tokens it gave. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, CachedToken>();
  #credentials: Promise<Credentials | undefined> | undefined;
  #scheme: Scheme | undefined;
  #extraScopes: readonly string[] = [];

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Whether there are credentials for this registry. */
  async isLoggedIn(options: OperationOptions): Promise<boolean> {
    return (await this.#findCredentials(options)) !== undefined;
  }

  /** The `Authorization` header for a request that needs `scopes`. `undefined` as long as the registry wants none. */
  async authorize(scopes: readonly string[], options: OperationOptions): Promise<string | undefined> {
    if (this.#scheme === undefined) return undefined;
    const credentials = await this.#findCredentials(options);
    if (credentials?.kind === "registry-token") return `Bearer ${credentials.token}`;
    if (this.#scheme.kind === "basic") {
      return credentials?.kind === "password" ? formatBasic(credentials) : undefined;
    }
    return `Bearer ${await this.#token(this.#scheme, scopes, options)}`;
  }

  /**
   * Learns from an answer 401.
   *
   * @param sent The header that was refused, if one was sent.
   * @returns whether another try, with what {@link authorize} gives now, makes sense
   */
  async learn(
    challenges: string | readonly string[] | undefined,
    {
      scopes,
      sent,
      ...options
    }: OperationOptions & { readonly scopes: readonly string[]; readonly sent: string | undefined },
  ): Promise<boolean> {
    const offers = parseChallenges(challenges);
    const bearer = offers.find(
      ({ scheme, parameters }) => scheme === "bearer" && parameters["realm"] !== undefined,
    );
    if (bearer !== undefined) {
      const { realm = "", service, scope } = bearer.parameters;
      this.#scheme = { kind: "bearer", realm, service };
      this.#extraScopes = (scope?.split(" ") ?? [])
        .filter((word) => word !== "" && !scopes.includes(word))
        .slice(0, 8);
      for (const [key, { token }] of this.#tokens) {
        if (sent === `Bearer ${(await token).token}`) this.#tokens.delete(key);
      }
    } else if (offers.some(({ scheme }) => scheme === "basic")) {
      this.#scheme = { kind: "basic" };
    } else {
      return false;
    }
    const next = await this.authorize(scopes, options);
    return next !== undefined && next !== sent;
  }

  async #findCredentials(options: OperationOptions): Promise<Credentials | undefined> {
    const { credentials, registry, repository } = this.#options;
    this.#credentials ??= credentials?.(registry, { ...options, repository });
    return this.#credentials;
  }

  /** One request per set of scopes, however many wait for it. */
  async #token(
    scheme: Scheme & { kind: "bearer" },
    own: readonly string[],
    options: OperationOptions,
  ): Promise<string> {
    const scopes = [...this.#extraScopes, ...own];
    const key = scopes.join(" ");
    const cached = this.#tokens.get(key);
    if (cached !== undefined && cached.goodUntil > performance.now()) return (await cached.token).token;
    const entry: CachedToken = {
      token: this.#fetch(scheme, scopes, options),
      goodUntil: Number.POSITIVE_INFINITY,
    };
    this.#tokens.set(key, entry);
    try {
      const { token, lifetime } = await entry.token;
      entry.goodUntil = performance.now() + lifetime;
      return token;
    } catch (error) {
      this.#tokens.delete(key);
      throw error;
    }
  }

  async #fetch(
    { realm, service }: Scheme & { kind: "bearer" },
    scopes: readonly string[],
    options: OperationOptions,
  ): Promise<AccessToken> {
    const { dispatcher, url, userAgent } = this.#options;
    const credentials = await this.#findCredentials(options);
    return fetchToken(dispatcher, {
      realm,
      service,
      scopes,
      credentials,
      registry: url,
      userAgent,
      signal: options.signal,
    });
  }
}
