// SPDX-License-Identifier: Apache-2.0
import { isDigest, isTag } from "../../../oci/index.ts";
import { answer, type Endpoint } from "../exchange.ts";
import { RegistryFault } from "../registry-fault.ts";

/** `GET` and `HEAD /v2/NAME/manifests/REFERENCE`: the bytes and the type as they were pushed, whatever `Accept` says. */
export const getManifest: Endpoint = async (exchange) => {
  const { request, route, storage } = exchange;
  const { repository, reference } = route;
  const found =
    isDigest(reference) || isTag(reference) ? await storage.findManifest(repository, reference) : undefined;
  if (found === undefined) throw await describeAbsence(exchange);
  const { bytes, digest, mediaType } = found;
  const headers = {
    "docker-content-digest": digest,
    etag: `"${digest}"`,
    "x-content-type-options": "nosniff",
  };
  if (request.headers["if-none-match"] === headers.etag) {
    answer(exchange, { status: 304, headers });
    return;
  }
  answer(exchange, { status: 200, headers: { ...headers, "content-type": mediaType }, body: bytes });
};

async function describeAbsence({ route, storage }: Parameters<Endpoint>[0]): Promise<RegistryFault> {
  const { repository, reference } = route;
  if (reference.includes(":") && !isDigest(reference)) {
    return new RegistryFault(
      400,
      "DIGEST_INVALID",
      "the digest is malformed, or its algorithm is not supported",
    );
  }
  if (await storage.hasRepository(repository)) {
    return new RegistryFault(404, "MANIFEST_UNKNOWN", "the manifest is not in this repository");
  }
  return new RegistryFault(404, "NAME_UNKNOWN", "there is no such repository");
}
