// SPDX-License-Identifier: Apache-2.0
import { type DigestAlgorithm, isRepository } from "../../../oci/index.ts";
import { answer, type Endpoint, type Exchange, expectDigest } from "../exchange.ts";
import { RegistryFault } from "../registry-fault.ts";
import { answerCreated, describeUpload, finishUpload, receiveChunk } from "../upload-exchange.ts";

/**
 * `POST /v2/NAME/blobs/uploads/`: opens an upload, takes a whole blob at once (`digest`), or lends one from another
 * repository (`mount`).
 */
export const startUpload: Endpoint = async (exchange) => {
  const { query } = exchange;
  const mount = query.get("mount");
  if (mount !== null && (await mountBlob(exchange, mount))) return;
  const digest = query.get("digest");
  if (digest !== null && mount === null) await receiveBlob(exchange, digest);
  else await openUpload(exchange);
};

/** A blob that cannot be lent is no error: the client gets an upload instead. */
async function mountBlob(exchange: Exchange, mount: string): Promise<boolean> {
  const { query, route, storage } = exchange;
  const digest = expectDigest(mount);
  const from = query.get("from") ?? undefined;
  if (from !== undefined && !isRepository(from)) {
    throw new RegistryFault(400, "NAME_INVALID", "the name of the repository to mount from is not allowed");
  }
  if (!(await storage.blobs.mount(route.repository, digest, from))) return false;
  answerCreated(exchange, digest);
  return true;
}

async function receiveBlob(exchange: Exchange, digest: string): Promise<void> {
  const { route, storage } = exchange;
  const upload = await storage.uploads.start(route.repository, algorithmFor(expectDigest(digest)));
  try {
    // Busy, so that however long it takes it is not dropped as one that nobody touches.
    await upload.runAlone(
      () => exchange.request.destroy(),
      async () => {
        await receiveChunk(exchange, upload);
        await finishUpload(exchange, upload, digest);
      },
    );
  } finally {
    await storage.uploads.close(upload);
  }
}

async function openUpload(exchange: Exchange): Promise<void> {
  const { query, route, storage } = exchange;
  const upload = await storage.uploads.start(
    route.repository,
    algorithmFor(query.get("digest-algorithm") ?? ""),
  );
  answer(exchange, { status: 202, headers: describeUpload(upload) });
}

function algorithmFor(text: string): DigestAlgorithm {
  const [algorithm] = text.split(":");
  if (algorithm === "" || algorithm === "sha256") return "sha256";
  if (algorithm === "sha512") return "sha512";
  throw new RegistryFault(400, "DIGEST_INVALID", "the digest algorithm is not supported");
}
