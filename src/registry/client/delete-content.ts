// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { type Digest, parseManifest } from "../../oci/index.ts";
import { changeFallback } from "./fallback-tag.ts";
import type { HttpResponse } from "./http-exchange.ts";
import { hasReferrersApi } from "./list-referrers.ts";
import { notFound, pullManifest } from "./pull-manifest.ts";
import type { RepositoryApi } from "./repository-api.ts";

/**
 * Deletes a manifest with all its tags. What it was about is told, where the registry does not keep that list itself.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `REGISTRY_FAILED` where deleting is switched off
 */
export async function deleteManifest(
  api: RepositoryApi,
  digest: Digest,
  options: OperationOptions,
): Promise<void> {
  const pulled = await pullManifest(api, digest, options);
  if (pulled === undefined) throw notFound(api, digest);
  const parsed = parseManifest(pulled.bytes, pulled.descriptor.mediaType);
  const { subject } = parsed.kind === "index" ? parsed.index : parsed.manifest;
  await remove(api, api.manifest(digest), `the manifest "${digest}"`, options);
  if (subject === undefined || (await hasReferrersApi(api, subject.digest, options))) return;
  const without = (entry: { readonly digest: Digest }): boolean => entry.digest !== digest;
  await changeFallback(api, subject.digest, (descriptors) => descriptors.filter(without), options);
}

/**
 * Deletes a tag and nothing else.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `REGISTRY_FAILED` where registries cannot do that
 */
export async function deleteTag(api: RepositoryApi, tag: string, options: OperationOptions): Promise<void> {
  await remove(api, api.manifest(tag), `the tag "${tag}"`, options);
}

/** @throws {ToolingError} `IMAGE_NOT_FOUND`, `REGISTRY_FAILED` where deleting is switched off */
export async function deleteBlob(
  api: RepositoryApi,
  digest: Digest,
  options: OperationOptions,
): Promise<void> {
  await remove(api, api.blob(digest), `the blob "${digest}"`, options);
}

async function remove(api: RepositoryApi, url: URL, what: string, options: OperationOptions): Promise<void> {
  const request = { method: "DELETE", url, scopes: api.delete } as const;
  const response: HttpResponse = await api.transport.send(
    { ...request, accept: [200, 202, 204, 400, 404, 405] },
    options,
  );
  await response.body.dump();
  if (response.status === 404) {
    throw new ToolingError("IMAGE_NOT_FOUND", `"${api.title}" does not have ${what}`, {
      hint: "Nothing is to be done: it is gone already, or the name is wrong.",
    });
  }
  if (response.status < 300) return;
  throw new ToolingError("REGISTRY_FAILED", `"${api.title}" does not let ${what} be deleted`, {
    hint: "Deleting is switched off there, or that registry cannot delete a tag without its manifest.",
  });
}
