// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import {
  algorithmOf,
  type Descriptor,
  digestOf,
  isDigest,
  isManifestMediaType,
  isTag,
  MANIFEST_LIMIT,
  MANIFEST_MEDIA_TYPES,
  parseManifest,
} from "../../oci/index.ts";
import { headerOf, type HttpResponse } from "./http-exchange.ts";
import type { RepositoryApi } from "./repository-api.ts";

const ACCEPT = { accept: MANIFEST_MEDIA_TYPES.join(", ") };

/** A manifest as a registry gave it, checked. */
export interface PulledManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** For conditional writes. */
  readonly etag: string | undefined;
}

/**
 * What a tag or digest stands for. Costs one request without a body where the registry answers HEAD in full.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `REFERENCE_INVALID`
 */
export async function resolveManifest(
  api: RepositoryApi,
  reference: string,
  options: OperationOptions,
): Promise<Descriptor> {
  checkReference(reference);
  const request = {
    method: "HEAD",
    url: api.manifest(reference),
    headers: ACCEPT,
    scopes: api.pull,
  } as const;
  const response = await api.transport.send({ ...request, accept: [200, 404, 405, 501] }, options);
  await response.body.dump();
  if (response.status === 404) throw notFound(api, reference);
  const described = response.status === 200 ? describeHead(response) : undefined;
  if (described !== undefined && (!isDigest(reference) || described.digest === reference)) return described;
  const pulled = await pullManifest(api, reference, options);
  if (pulled === undefined) throw notFound(api, reference);
  return pulled.descriptor;
}

/** `undefined` when the registry leaves out what the specification asks for. */
function describeHead(response: HttpResponse): Descriptor | undefined {
  const digest = headerOf(response, "docker-content-digest") ?? "";
  const mediaType = mediaTypeOf(response);
  const size = Number(headerOf(response, "content-length") ?? Number.NaN);
  if (!isDigest(digest) || mediaType === undefined || !Number.isSafeInteger(size) || size <= 0)
    return undefined;
  return { mediaType, digest, size };
}

/**
 * The bytes of a manifest that is known by its descriptor.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`
 */
export async function fetchManifest(
  api: RepositoryApi,
  { digest, size }: Descriptor,
  options: OperationOptions,
): Promise<Uint8Array> {
  const pulled = await pullManifest(api, digest, options);
  if (pulled === undefined) throw notFound(api, digest);
  if (pulled.bytes.byteLength === size) return pulled.bytes;
  throw new ToolingError(
    "SIZE_MISMATCH",
    `"${api.title}@${digest}" has ${pulled.bytes.byteLength} bytes, not ${size}`,
    {
      hint: "Do not use this image; tell whoever published it.",
    },
  );
}

/**
 * Fetches a manifest by tag or digest. By digest the bytes must hash to it; by tag the digest is computed here.
 *
 * @returns `undefined` when there is none
 * @throws {ToolingError} `DIGEST_MISMATCH`, `MANIFEST_INVALID`
 */
export async function pullManifest(
  api: RepositoryApi,
  reference: string,
  options: OperationOptions,
): Promise<PulledManifest | undefined> {
  checkReference(reference);
  // A second time from scratch: a proxy in between may have cut the first.
  for (let isLast = false; ; isLast = true) {
    const request = {
      method: "GET",
      url: api.manifest(reference),
      headers: ACCEPT,
      scopes: api.pull,
    } as const;
    const response = await api.transport.send({ ...request, accept: [200, 404] }, options);
    if (response.status === 404) {
      await response.body.dump();
      return undefined;
    }
    const bytes = await readBody(api, reference, response);
    const announced = isDigest(reference) ? reference : headerOf(response, "docker-content-digest");
    const actual = digestOf(
      bytes,
      isDigest(announced ?? "") ? algorithmOf(announced as `sha256:${string}`) : "sha256",
    );
    if (announced !== undefined && announced !== actual) {
      if (isLast) throw mismatch(api, reference, actual);
      continue;
    }
    const { mediaType } = parseManifest(bytes, knownType(response));
    return {
      descriptor: { mediaType, digest: actual, size: bytes.byteLength },
      bytes,
      etag: headerOf(response, "etag"),
    };
  }
}

async function readBody(api: RepositoryApi, reference: string, response: HttpResponse): Promise<Uint8Array> {
  const tooLarge = (): ToolingError =>
    new ToolingError(
      "MANIFEST_INVALID",
      `"${api.title}:${reference}" is larger than ${MANIFEST_LIMIT} bytes`,
      {
        hint: "Do not use this image; tell whoever published it.",
      },
    );
  const body = response.body as AsyncIterable<Uint8Array>;
  if (Number(headerOf(response, "content-length") ?? 0) > MANIFEST_LIMIT) {
    await response.body.dump();
    throw tooLarge();
  }
  return collectBytes(body, { limit: MANIFEST_LIMIT, onExcess: tooLarge });
}

/** Registries that do not know say `application/json` or `text/plain`: then the document itself decides. */
function knownType(response: HttpResponse): string | undefined {
  const type = mediaTypeOf(response);
  return type !== undefined && isManifestMediaType(type) ? type : undefined;
}

/** The media type without parameters. */
export function mediaTypeOf(response: HttpResponse): string | undefined {
  return headerOf(response, "content-type")?.split(";")[0]?.trim();
}

function checkReference(reference: string): void {
  if (isTag(reference) || isDigest(reference)) return;
  throw new ToolingError("REFERENCE_INVALID", `"${reference.slice(0, 200)}" is neither a tag nor a digest`, {
    hint: 'Name a tag, or a digest as "sha256:" and 64 lower-case hex digits.',
  });
}

function mismatch({ title }: RepositoryApi, reference: string, actual: string): ToolingError {
  return new ToolingError("DIGEST_MISMATCH", `"${title}" sent ${actual} for "${reference}"`, {
    hint: "Do not use this image; the registry or a proxy before it changes content.",
  });
}

/** The error for a tag or digest that is not there. */
export function notFound({ title }: RepositoryApi, reference: string): ToolingError {
  return new ToolingError("IMAGE_NOT_FOUND", `"${title}" has no "${reference}"`, {
    hint: "Check the tag or digest; toolbox image tags lists what is there.",
  });
}
