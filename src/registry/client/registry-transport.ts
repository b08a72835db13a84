// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../../core/byte-stream.ts";
import type { HttpDispatcher } from "../../core/http-message.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { isTemporaryFailure, isTemporaryStatus, parseRetryAfter } from "../../core/temporary-failure.ts";
import type { Authorizer } from "./authorizer.ts";
import { exchange, headerOf, type HttpRequest, type HttpResponse } from "./http-exchange.ts";
import { describeConnectionFailure, describeRefusal } from "./registry-failure.ts";
import { pause, RetryClock, type RetryPolicy } from "./retry.ts";

/** One request to a registry. */
export interface RegistryRequest {
  readonly method: HttpRequest["method"];
  readonly url: URL;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream can be sent once only: see {@link RegistryTransport.sendOnce}. */
  readonly body?: Uint8Array | ByteStream;
  /** What the request needs, as scopes of Docker's token authentication. */
  readonly scopes: readonly string[];
  /** Statuses that the caller handles. All others are errors. */
  readonly accept: readonly number[];
  /** Milliseconds until an answer. Absent: 60 000. */
  readonly timeout?: number;
}

/** What a {@link RegistryTransport} needs. */
export interface RegistryTransportOptions {
  readonly url: URL;
  readonly dispatcher: HttpDispatcher;
  readonly authorizer: Authorizer;
  readonly userAgent: string;
  readonly retry: RetryPolicy;
  /** Milliseconds without a byte. */
  readonly idleTimeout: number;
  readonly onWarning: ((text: string) => void) | undefined;
}

/** A try that failed in a way that may pass. */
export interface Attempt {
  readonly failure: unknown;
  /** Milliseconds that the registry asks to wait. */
  readonly asked: number | undefined;
}

/** Sends requests to one registry: authenticates, tries again what may pass, and turns refusals into errors. */
export class RegistryTransport {
  readonly url: URL;
  readonly #options: RegistryTransportOptions;
  readonly #warnings = new Set<string>();

  constructor(options: RegistryTransportOptions) {
    this.url = options.url;
    this.#options = options;
  }

  /** A clock for work that is tried again as a whole. */
  startClock(): RetryClock {
    return new RetryClock(this.#options.retry);
  }

  /**
   * Sends a request that may be sent again: its body, if any, is at hand.
   *
   * @throws {ToolingError} `AUTH_DENIED`, `AUTH_REQUIRED`, `IMAGE_NOT_FOUND`, `REGISTRY_RATE_LIMITED`,
   * `REGISTRY_FAILED`, `REGISTRY_UNREACHABLE`, `POLICY_REFUSED`
   */
  async send(request: RegistryRequest, options: OperationOptions): Promise<HttpResponse> {
    const clock = this.startClock();
    for (;;) {
      const outcome = await this.#try(request, options);
      if ("response" in outcome) return outcome.response;
      await this.wait(clock, outcome, options);
    }
  }

  /**
   * Sends a request with a body that can be sent once only. Failures that may pass come back as they are, for the
   * caller to decide on: it alone knows how far the body went.
   */
  async sendOnce(request: RegistryRequest, options: OperationOptions): Promise<HttpResponse> {
    const { authorization } = await this.#authorization(request, options);
    const response = await this.#exchange(request, authorization, options);
    if (response.status === 401) {
      await this.#options.authorizer.learn(response.headers["www-authenticate"], {
        ...options,
        scopes: request.scopes,
        sent: authorization,
      });
    }
    return response;
  }

  /** The error for an answer that was not accepted. */
  async refusal(
    response: HttpResponse,
    { method }: RegistryRequest,
    options: OperationOptions,
  ): Promise<Error> {
    const isLoggedIn = response.status === 401 && (await this.#options.authorizer.isLoggedIn(options));
    return describeRefusal(response, method, { isLoggedIn });
  }

  /** Waits as long as a registry asks or the policy says, or throws the failure when it has been tried often enough. */
  async wait(
    clock: RetryClock,
    { failure, asked }: Attempt,
    { signal, onProgress }: OperationOptions,
  ): Promise<void> {
    const delay = clock.next(asked);
    if (delay === undefined) throw failure;
    if (delay >= 2000) {
      const note = `waiting ${Math.round(delay / 1000)} s, because the registry asks for it or does not answer`;
      onProgress?.({ type: "noted", what: this.url.host, note });
    }
    await pause(delay, signal);
  }

  /** One try. What cannot pass is thrown. */
  async #try(
    request: RegistryRequest,
    options: OperationOptions,
  ): Promise<{ response: HttpResponse } | Attempt> {
    let response: HttpResponse;
    try {
      response = await this.#sendAuthorized(request, options);
    } catch (error) {
      const failure = describeConnectionFailure(error, request.url);
      if (isTemporaryFailure(error)) return { failure, asked: undefined };
      throw failure;
    }
    if (request.accept.includes(response.status)) return { response };
    const asked = parseRetryAfter(headerOf(response, "retry-after"), new Date());
    const failure = await this.refusal(response, request, options);
    if (isTemporaryStatus(response.status)) return { failure, asked };
    throw failure;
  }

  async #sendAuthorized(request: RegistryRequest, options: OperationOptions): Promise<HttpResponse> {
    const { authorizer } = this.#options;
    let { authorization } = await this.#authorization(request, options);
    // Twice: a first answer tells how to ask, a second that a token has come of age meanwhile.
    for (let round = 0; ; round += 1) {
      const response = await this.#exchange(request, authorization, options);
      if (response.status !== 401 || round === 2 || response.url.origin !== this.url.origin) return response;
      const challenges = response.headers["www-authenticate"];
      const learned = await authorizer.learn(challenges, {
        ...options,
        scopes: request.scopes,
        sent: authorization,
      });
      if (!learned) return response;
      await response.body.dump();
      authorization = await authorizer.authorize(request.scopes, options);
    }
  }

  /** Nobody but the registry's own scheme, host and port is told who asks. */
  async #authorization(
    request: RegistryRequest,
    options: OperationOptions,
  ): Promise<{ authorization: string | undefined }> {
    if (request.url.origin !== this.url.origin) return { authorization: undefined };
    return { authorization: await this.#options.authorizer.authorize(request.scopes, options) };
  }

  async #exchange(
    { method, url, headers, body, timeout }: RegistryRequest,
    authorization: string | undefined,
    { signal }: OperationOptions,
  ): Promise<HttpResponse> {
    const { dispatcher, idleTimeout, userAgent } = this.#options;
    const response = await exchange(dispatcher, {
      method,
      url,
      headers: { "user-agent": userAgent, ...headers, ...(authorization !== undefined && { authorization }) },
      body,
      headersTimeout: timeout ?? idleTimeout,
      bodyTimeout: idleTimeout,
      signal,
    });
    this.#warn(response);
    return response;
  }

  /** Warnings are for people (distribution-spec v1.1.1, "Warnings"): each is told once and never acted on. */
  #warn({ headers }: HttpResponse): void {
    const { onWarning } = this.#options;
    const values = [headers["warning"] ?? []].flat();
    for (const value of values) {
      const text = /^299 - "((?:[^"\\]|\\.){1,4096})"$/.exec(value.trim())?.[1]?.replaceAll(/\\(.)/g, "$1");
      if (text === undefined || this.#warnings.has(text) || this.#warnings.size >= 100) continue;
      this.#warnings.add(text);
      onWarning?.(text.replaceAll(/\p{C}/gu, " "));
    }
  }
}
