// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { headerOf, type HttpResponse, resolveLocation } from "./http-exchange.ts";
import { checkZone } from "./network-zone.ts";
import type { RepositoryApi } from "./repository-api.ts";

/** An upload that a registry has opened. */
export interface UploadSession {
  readonly url: URL;
  /** Smallest chunk that the registry takes, but for the last (`OCI-Chunk-Min-Length`). */
  readonly minimumChunk: number;
}

/** Opens an upload (distribution-spec v1.1.1, "Pushing a blob"). */
export async function openSession(
  api: RepositoryApi,
  algorithm: string,
  options: OperationOptions,
): Promise<UploadSession> {
  const url = api.uploads(algorithm === "sha256" ? {} : { "digest-algorithm": algorithm });
  const request = { method: "POST", url, headers: { "content-length": "0" }, scopes: api.push } as const;
  const response = await api.transport.send({ ...request, accept: [202] }, options);
  await response.body.dump();
  return sessionOf(api, response);
}

/**
 * The upload that an answer names.
 *
 * @throws {ToolingError} `REGISTRY_FAILED` when it names none, `POLICY_REFUSED`
 */
export function sessionOf(api: RepositoryApi, response: HttpResponse): UploadSession {
  const location = headerOf(response, "location");
  if (location === undefined) {
    throw new ToolingError("REGISTRY_FAILED", `"${api.title}" opens an upload and does not say where`, {
      hint: "Ask whoever runs that registry.",
    });
  }
  const url = resolveLocation(location, response.url, "upload address");
  checkZone(url, api.transport.url, "upload address");
  const minimumChunk = Number(headerOf(response, "oci-chunk-min-length") ?? 0);
  return { url, minimumChunk: Number.isSafeInteger(minimumChunk) ? minimumChunk : 0 };
}

/** The address that ends the upload: what the registry gave, with all its parameters, and the digest. */
export function closingUrl({ url }: UploadSession, digest: string): URL {
  const closing = new URL(url);
  closing.searchParams.set("digest", digest);
  return closing;
}

/**
 * How many bytes the registry says it has. `undefined` when it does not say.
 *
 * @param isFresh Whether nothing was acknowledged yet: then `0-0` means none, though it could mean one byte.
 */
export function acknowledgedOf(response: HttpResponse, isFresh: boolean): number | undefined {
  const match = /^(?:bytes=)?0-(\d{1,15})$/.exec(headerOf(response, "range")?.trim() ?? "");
  if (match === null) return undefined;
  const end = Number(match[1]);
  return end === 0 && isFresh ? 0 : end + 1;
}

/** How far an upload is, after something went wrong. `undefined` when the registry has forgotten it. */
export async function inspectSession(
  api: RepositoryApi,
  session: UploadSession,
  isFresh: boolean,
  options: OperationOptions,
): Promise<{ session: UploadSession; offset: number } | undefined> {
  const request = { method: "GET", url: session.url, scopes: api.push } as const;
  const response = await api.transport.send({ ...request, accept: [200, 202, 204, 404] }, options);
  await response.body.dump();
  const offset = response.status === 404 ? undefined : acknowledgedOf(response, isFresh);
  if (offset === undefined) return undefined;
  const moved = headerOf(response, "location") === undefined ? session : sessionOf(api, response);
  return { session: { ...moved, minimumChunk: session.minimumChunk }, offset };
}

/** Tells the registry that nothing more will come. It forgets such uploads by itself too, so failing does not matter. */
export async function cancelSession(api: RepositoryApi, { url }: UploadSession): Promise<void> {
  try {
    const response = await api.transport.sendOnce(
      { method: "DELETE", url, scopes: api.push, accept: [], timeout: 5000 },
      { signal: AbortSignal.timeout(5000) },
    );
    await response.body.dump();
  } catch {
    // Whatever made the upload fail is the error to tell.
  }
}
