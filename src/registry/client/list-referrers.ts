// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { type Descriptor, type Digest, MEDIA_TYPES, parseManifest } from "../../oci/index.ts";
import { readFallback } from "./fallback-tag.ts";
import { headerOf, type HttpResponse } from "./http-exchange.ts";
import { nextPage } from "./link-header.ts";
import { mediaTypeOf } from "./pull-manifest.ts";
import type { RepositoryApi } from "./repository-api.ts";

/** Optional parts of {@link listReferrers}. */
export interface ListReferrersOptions extends OperationOptions {
  /** Only those of this type. Absent: all. */
  readonly artifactType?: string | undefined;
  /** Most entries that are read; more is an error, so that nobody can keep a client busy. Absent: 10 000. */
  readonly limit?: number | undefined;
}

const LONGEST_PAGE = 8 * 1024 * 1024;
/** Pages may be empty or repeat themselves, so a limit of entries alone does not end a list. */
const MOST_PAGES = 1000;
/** How registries say that they know no referrers. */
const UNSUPPORTED = [400, 404, 405, 406, 501];

/**
 * What is about a manifest: signatures, SBOMs and the like. Where the registry has no referrers API, the index under
 * the fallback tag is read (distribution-spec v1.1.1, "Listing Referrers").
 *
 * @throws {ToolingError} `REGISTRY_FAILED` when there are more than `limit`, or the list does not end
 */
export async function listReferrers(
  api: RepositoryApi,
  subject: Digest,
  { artifactType, limit = 10_000, ...options }: ListReferrersOptions,
): Promise<Descriptor[]> {
  let url: URL | undefined = firstPage(api, subject, artifactType);
  const found = new Map<string, Descriptor>();
  const seen = new Set<string>();
  while (url !== undefined) {
    if (seen.size >= MOST_PAGES || seen.has(url.href)) throw endless(api, subject);
    seen.add(url.href);
    const page: Page | undefined = await readPage(api, url, options);
    if (page === undefined && seen.size === 1)
      return readFallbackList(api, subject, { artifactType, limit, ...options });
    for (const descriptor of page?.descriptors ?? []) found.set(descriptor.digest, descriptor);
    if (found.size > limit) throw tooMany(api, subject, limit);
    url = page?.next;
  }
  return filterByType(found.values(), artifactType);
}

function firstPage(api: RepositoryApi, subject: Digest, artifactType: string | undefined): URL {
  return api.referrers(subject, artifactType === undefined ? {} : { artifactType });
}

/** Whether the registry lists referrers itself. */
export async function hasReferrersApi(
  api: RepositoryApi,
  subject: Digest,
  options: OperationOptions,
): Promise<boolean> {
  return (await readPage(api, api.referrers(subject), options)) !== undefined;
}

interface Page {
  readonly descriptors: readonly Descriptor[];
  /** Absent: this is the last one. */
  readonly next: URL | undefined;
}

/** `undefined` when the registry has no such API: it says so, or answers something that is no index. */
async function readPage(api: RepositoryApi, url: URL, options: OperationOptions): Promise<Page | undefined> {
  const request = {
    method: "GET",
    url,
    headers: { accept: MEDIA_TYPES.imageIndex },
    scopes: api.pull,
  } as const;
  const response = await api.transport.send({ ...request, accept: [200, ...UNSUPPORTED] }, options);
  if (response.status !== 200 || mediaTypeOf(response) !== MEDIA_TYPES.imageIndex) {
    await response.body.dump();
    return undefined;
  }
  const descriptors = await readIndex(api, response);
  return { descriptors, next: nextPage(response) };
}

async function readIndex({ title }: RepositoryApi, response: HttpResponse): Promise<readonly Descriptor[]> {
  const tooLong = (): ToolingError =>
    new ToolingError("REGISTRY_FAILED", `"${title}" sends a list of referrers that is too long`, {
      hint: "Ask whoever runs that registry.",
    });
  if (Number(headerOf(response, "content-length") ?? 0) > LONGEST_PAGE) {
    await response.body.dump();
    throw tooLong();
  }
  const body = response.body as AsyncIterable<Uint8Array>;
  const parsed = parseManifest(
    await collectBytes(body, { limit: LONGEST_PAGE, onExcess: tooLong }),
    MEDIA_TYPES.imageIndex,
  );
  return parsed.kind === "index" ? parsed.index.manifests : [];
}

async function readFallbackList(
  api: RepositoryApi,
  subject: Digest,
  { artifactType, limit = 10_000, ...options }: ListReferrersOptions,
): Promise<Descriptor[]> {
  const { descriptors } = await readFallback(api, subject, options);
  if (descriptors.length > limit) throw tooMany(api, subject, limit);
  return filterByType(descriptors, artifactType);
}

/** Done here always: a registry may ignore the filter, and then says nothing in `OCI-Filters-Applied`. */
function filterByType(descriptors: Iterable<Descriptor>, artifactType: string | undefined): Descriptor[] {
  return [...descriptors].filter(
    (descriptor) => artifactType === undefined || descriptor.artifactType === artifactType,
  );
}

function endless({ title }: RepositoryApi, subject: Digest): ToolingError {
  return new ToolingError(
    "REGISTRY_FAILED",
    `"${title}" sends a list of referrers of "${subject}" that does not end`,
    { hint: "Ask whoever runs that registry." },
  );
}

function tooMany({ title }: RepositoryApi, subject: Digest, limit: number): ToolingError {
  return new ToolingError(
    "REGISTRY_FAILED",
    `"${title}" lists more than ${limit} referrers of "${subject}"`,
    {
      hint: "Delete those that are not needed, or ask whoever runs that registry.",
    },
  );
}
