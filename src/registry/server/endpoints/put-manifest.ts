// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../../../core/byte-stream.ts";
import { algorithmOf, type Digest, digestOf, isDigest, isTag } from "../../../oci/index.ts";
import {
  announcedLength,
  answer,
  type Endpoint,
  type Exchange,
  expectDigest,
  openBody,
} from "../exchange.ts";
import { type ManifestOutline, outlineManifest } from "../manifest-outline.ts";
import { RegistryFault } from "../registry-fault.ts";

/** Tags of one request (distribution-spec, "Pushing Manifests with Tags", asks for at least 10). */
const MOST_TAGS = 100;

/** `PUT /v2/NAME/manifests/REFERENCE`, by tag or by digest with any number of `tag` parameters. */
export const putManifest: Endpoint = async (exchange) => {
  const { request, route, storage } = exchange;
  const tags = listTags(exchange);
  const bytes = await readManifest(exchange);
  const digest = agreeOnDigest(route.reference, bytes);
  const outline = outlineManifest(bytes, request.headers["content-type"]?.split(";")[0]?.trim());
  await storage.alone(route.repository, async () => {
    await checkCondition(exchange);
    await checkReferences(exchange, outline);
    await storage.manifests.add(route.repository, digest, outline, bytes);
    for (const tag of tags) await storage.tags.set(route.repository, tag, digest);
  });
  answer(exchange, { status: 201, headers: describe(exchange, digest, outline, tags) });
};

function listTags({ query, route }: Exchange): string[] {
  const { reference } = route;
  const tags = reference.includes(":") ? [...new Set(query.getAll("tag"))] : [reference];
  if (tags.length > MOST_TAGS) {
    throw new RegistryFault(414, "UNSUPPORTED", `one request may set at most ${MOST_TAGS} tags`);
  }
  if (!tags.every(isTag)) throw new RegistryFault(400, "MANIFEST_INVALID", "the tag is not allowed");
  return tags;
}

async function readManifest(exchange: Exchange): Promise<Uint8Array> {
  const limit = exchange.maxManifestSize;
  const tooLarge = (): RegistryFault =>
    new RegistryFault(413, "SIZE_INVALID", `manifests may have at most ${limit} bytes here`);
  if ((announcedLength(exchange) ?? 0) > limit) throw tooLarge();
  return collectBytes(openBody(exchange), { limit, onExcess: tooLarge });
}

/** What a tag names is addressed by sha256. */
function agreeOnDigest(reference: string, bytes: Uint8Array): Digest {
  if (!reference.includes(":")) return digestOf(bytes);
  const digest = expectDigest(reference);
  const actual = digestOf(bytes, algorithmOf(digest));
  if (actual === digest) return digest;
  throw new RegistryFault(400, "DIGEST_INVALID", "the manifest does not have the digest that was announced", {
    detail: { expected: digest, actual },
  });
}

/** Lets writers of one tag notice each other (RFC 9110, section 13.1). */
async function checkCondition({ request, route, storage }: Exchange): Promise<void> {
  const { "if-match": match, "if-none-match": noneMatch } = request.headers;
  if (match === undefined && noneMatch === undefined) return;
  const current = await storage.findManifest(route.repository, route.reference);
  const etag = current && `"${current.digest}"`;
  if (isListed(etag, match ?? etag ?? "*", match === undefined) && !isListed(etag, noneMatch ?? "", false))
    return;
  throw new RegistryFault(412, "DENIED", "the tag has changed since it was read");
}

function isListed(etag: string | undefined, header: string, otherwise: boolean): boolean {
  if (etag === undefined) return otherwise;
  return header === "*" || header.split(",").some((item) => item.trim() === etag);
}

/** All that the manifest names must be there, but for its subject, which may come later. */
async function checkReferences(
  { route, storage }: Exchange,
  { blobs, manifests }: ManifestOutline,
): Promise<void> {
  for (const digest of new Set(blobs)) {
    if ((await storage.blobs.lease(route.repository, digest)) === undefined) throw missing(digest);
  }
  for (const digest of new Set(manifests)) {
    if (!(await storage.hasContent(route.repository, digest))) throw missing(digest);
  }
}

function missing(digest: Digest): RegistryFault {
  return new RegistryFault(
    404,
    "MANIFEST_BLOB_UNKNOWN",
    "the manifest names content that is not in this repository",
    {
      detail: { digest },
    },
  );
}

function describe(
  { query, route }: Exchange,
  digest: Digest,
  { subject }: ManifestOutline,
  tags: readonly string[],
): Record<string, string | readonly string[]> {
  return {
    location: `/v2/${route.repository}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(subject !== undefined && { "oci-subject": subject }),
    ...(query.has("tag") && isDigest(route.reference) && { "oci-tag": tags }),
  };
}
