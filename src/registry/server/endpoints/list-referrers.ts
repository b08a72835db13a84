// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, type Digest, MEDIA_TYPES, parseManifest } from "../../../oci/index.ts";
import { answerJson, type Endpoint, expectDigest } from "../exchange.ts";
import type { RegistryStorage } from "../storage/registry-storage.ts";

/** Bytes of descriptors in one answer: with the rest of the index it stays below the 4 MiB that clients read. */
const PAGE_SIZE = 3_900_000;

/** `GET /v2/NAME/referrers/DIGEST`: an index of what is about a manifest, whether that is here or not. */
export const listReferrers: Endpoint = async (exchange) => {
  const { query, route, storage } = exchange;
  const subject = expectDigest(route.reference);
  const type = query.get("artifactType");
  const last = query.get("last") ?? "";
  const all = (await findReferrers(storage, route.repository, subject)).filter(
    ({ artifactType, digest }) => (type === null || artifactType === type) && digest > last,
  );
  const manifests = takePage(all);
  const end = manifests.at(-1);
  const next = new URLSearchParams({ ...(type !== null && { artifactType: type }), last: end?.digest ?? "" });
  const path = `/v2/${route.repository}/referrers/${subject}`;
  answerJson(
    exchange,
    { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests },
    {
      "content-type": MEDIA_TYPES.imageIndex,
      ...(type !== null && { "oci-filters-applied": "artifactType" }),
      ...(manifests.length < all.length && { link: `<${path}?${next.toString()}>; rel="next"` }),
    },
  );
};

/** Those pushed with a subject, and those that a client listed under the fallback tag before (distribution-spec v1.1.1, "Enabling the Referrers API"). */
async function findReferrers(
  storage: RegistryStorage,
  repository: string,
  subject: Digest,
): Promise<Descriptor[]> {
  const found = new Map<string, Descriptor>();
  for (const referrer of await listFallback(storage, repository, subject))
    found.set(referrer.digest, referrer);
  for (const referrer of await storage.manifests.listReferrers(repository, subject)) {
    found.set(referrer.digest, referrer);
  }
  return [...found.values()].toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}

async function listFallback(
  storage: RegistryStorage,
  repository: string,
  subject: Digest,
): Promise<Descriptor[]> {
  const fallback = await storage.findManifest(repository, subject.replace(":", "-").slice(0, 32 + 1 + 64));
  if (fallback === undefined || fallback.mediaType !== MEDIA_TYPES.imageIndex) return [];
  const parsed = parseManifest(fallback.bytes, fallback.mediaType);
  const listed: Descriptor[] = [];
  for (const descriptor of parsed.kind === "index" ? parsed.index.manifests : []) {
    if (await storage.manifests.has(repository, descriptor.digest)) listed.push(descriptor);
  }
  return listed;
}

function takePage(all: readonly Descriptor[]): Descriptor[] {
  const page: Descriptor[] = [];
  let size = 0;
  for (const descriptor of all) {
    size += Buffer.byteLength(JSON.stringify(descriptor)) + 1;
    if (size > PAGE_SIZE && page.length > 0) break;
    page.push(descriptor);
  }
  return page;
}
