// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import {
  algorithmOf,
  type Descriptor,
  MANIFEST_LIMIT,
  parseManifest,
  type PutManifestOptions,
} from "../../oci/index.ts";
import { headerOf, type HttpResponse } from "./http-exchange.ts";
import type { RepositoryApi } from "./repository-api.ts";

/** What {@link pushManifest} found out. */
export interface PushedManifest {
  /** What the manifest is about, when the registry did not say that it takes note of it. */
  readonly unlistedSubject: Descriptor | undefined;
}

/**
 * Sends the bytes of a manifest, which are not changed, and with `tag` gives it that name in the same request.
 *
 * @throws {ToolingError} `DIGEST_MISMATCH` when the registry stored something else, `MANIFEST_INVALID`
 */
export async function pushManifest(
  api: RepositoryApi,
  descriptor: Descriptor,
  bytes: Uint8Array,
  { tag, ...options }: PutManifestOptions,
): Promise<PushedManifest> {
  const { digest, mediaType } = descriptor;
  if (bytes.byteLength > MANIFEST_LIMIT) throw tooLarge(bytes.byteLength);
  const parsed = parseManifest(bytes, mediaType);
  // A tag alone lets the registry choose the algorithm, and it chooses sha256.
  const isTagged = tag !== undefined && algorithmOf(digest) === "sha256";
  const url = isTagged ? api.manifest(tag) : api.manifest(digest, tag === undefined ? {} : { tag });
  const headers = { "content-type": mediaType };
  const request = {
    method: "PUT",
    url,
    headers,
    body: bytes,
    scopes: api.push,
    accept: [200, 201, 202],
  } as const;
  const response = await api.transport.send(request, options);
  await response.body.dump();
  checkAnswer(api, digest, response);
  if (tag !== undefined && !isTagged) checkTag(api, tag, response);
  const { subject } = parsed.kind === "index" ? parsed.index : parsed.manifest;
  const isListed = subject === undefined || headerOf(response, "oci-subject") === subject.digest;
  return { unlistedSubject: isListed ? undefined : subject };
}

function checkAnswer({ title }: RepositoryApi, digest: string, response: HttpResponse): void {
  const stored = headerOf(response, "docker-content-digest");
  if (stored === undefined || stored === digest) return;
  throw new ToolingError("DIGEST_MISMATCH", `"${title}" stored ${stored} for "${digest}"`, {
    hint: "Ask whoever runs that registry, and do not use what it stored.",
  });
}

function checkTag({ title }: RepositoryApi, tag: string, { headers }: HttpResponse): void {
  const tags = [headers["oci-tag"] ?? []]
    .flat()
    .flatMap((value) => value.split(",").map((word) => word.trim()));
  if (tags.includes(tag)) return;
  throw new ToolingError("REGISTRY_FAILED", `"${title}" stored the manifest but not the tag "${tag}"`, {
    hint: "That registry cannot tag content with a sha512 digest: use sha256, or no tag.",
  });
}

function tooLarge(size: number): ToolingError {
  return new ToolingError(
    "MANIFEST_INVALID",
    `manifest has ${size} bytes, registries take ${MANIFEST_LIMIT}`,
    {
      hint: "Use fewer or shorter annotations.",
    },
  );
}
