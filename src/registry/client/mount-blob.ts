// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../../core/operation.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { RepositoryApi } from "./repository-api.ts";
import { sessionOf, type UploadSession } from "./upload-session.ts";

/** Optional parts of {@link mountBlob}. */
export interface MountBlobOptions extends OperationOptions {
  /** Repository of the same registry that has the blob. Absent: whichever the registry finds. */
  readonly from?: string | undefined;
}

/** Answers of registries that cannot mount, or not without a name, or not for this caller. */
const REFUSALS = [400, 401, 403, 404, 405, 409, 422, 501];

/**
 * Asks for a blob to be lent from another repository.
 *
 * @returns `true` when it is there now, else the upload that the registry opened instead, if it did
 */
export async function mountBlob(
  api: RepositoryApi,
  { digest }: Descriptor,
  { from, ...options }: MountBlobOptions,
): Promise<true | UploadSession | undefined> {
  const response = await api.transport.send(
    {
      method: "POST",
      url: api.uploads({ mount: digest, ...(from !== undefined && { from }) }),
      headers: { "content-length": "0" },
      scopes: from === undefined ? api.push : api.mountScopes(from),
      accept: [201, 202, ...REFUSALS],
    },
    options,
  );
  await response.body.dump();
  if (response.status === 201) return true;
  return response.status === 202 ? sessionOf(api, response) : undefined;
}
