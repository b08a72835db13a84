// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { headerOf, type HttpResponse } from "./http-exchange.ts";
import { describeConnectionFailure } from "./registry-failure.ts";
import type { RegistryRequest } from "./registry-transport.ts";
import type { RepositoryApi } from "./repository-api.ts";
import { isTemporaryFailure, isTemporaryStatus, parseRetryAfter } from "../../core/temporary-failure.ts";
import { closingUrl, type UploadSession } from "./upload-session.ts";

/** Milliseconds that a registry may take to check and store a blob after its last byte. */
const CLOSING_TIMEOUT = 300_000;

/** The request that ends an upload. */
export function closingRequest(
  api: RepositoryApi,
  session: UploadSession,
  digest: string,
  body: Uint8Array,
): RegistryRequest & { readonly body: Uint8Array } {
  return {
    method: "PUT",
    url: closingUrl(session, digest),
    headers: { "content-type": "application/octet-stream", "content-length": String(body.byteLength) },
    body,
    scopes: api.push,
    accept: [201, 204],
    timeout: CLOSING_TIMEOUT,
  };
}

/** What came of a request with a body. `failure` is set unless it was accepted. */
export interface UploadAttempt {
  readonly response: HttpResponse | undefined;
  readonly failure: unknown;
  /** Milliseconds that the registry asks to wait. */
  readonly asked: number | undefined;
  /** Whether the same may succeed a little later. */
  readonly isPassing: boolean;
}

/** Sends once and keeps whatever goes wrong, for the caller to judge. The body of the answer is consumed. */
export async function attempt(
  api: RepositoryApi,
  request: RegistryRequest,
  options: OperationOptions,
): Promise<UploadAttempt> {
  let response: HttpResponse;
  try {
    response = await api.transport.sendOnce(request, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    const failure = describeConnectionFailure(error, request.url);
    return { response: undefined, failure, asked: undefined, isPassing: isTemporaryFailure(error) };
  }
  if (request.accept.includes(response.status)) {
    await response.body.dump();
    return { response, failure: undefined, asked: undefined, isPassing: false };
  }
  const asked = parseRetryAfter(headerOf(response, "retry-after"), new Date());
  const refusal = await api.transport.refusal(response, request, options);
  const failure = response.status === 404 ? forgotten(refusal) : refusal;
  return { response, failure, asked, isPassing: isTemporaryStatus(response.status) };
}

/** There is no image that could be missing: the registry does not know the upload that it has opened itself. */
function forgotten(refusal: Error): ToolingError {
  return new ToolingError("REGISTRY_FAILED", `upload is forgotten: ${refusal.message}`, {
    hint: "Run the same command again; ask whoever runs that registry if it stays like that.",
    cause: refusal,
  });
}

/** @throws {ToolingError} `DIGEST_MISMATCH` when the registry says it has stored something else */
export function checkClosing(
  { title }: RepositoryApi,
  digest: string,
  response: HttpResponse | undefined,
): void {
  const stored = response && headerOf(response, "docker-content-digest");
  if (stored === undefined || stored === digest) return;
  throw new ToolingError("DIGEST_MISMATCH", `"${title}" stored ${stored} for "${digest}"`, {
    hint: "Ask whoever runs that registry, and do not use what it stored.",
  });
}
