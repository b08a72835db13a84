// SPDX-License-Identifier: Apache-2.0
import { type Endpoint, type Exchange, expectDigest } from "../exchange.ts";
import { type ByteRange, parseRange } from "../range.ts";
import { RegistryFault } from "../registry-fault.ts";
import { sendFile } from "../send-file.ts";
import type { OpenedBlob } from "../storage/blob-shelf.ts";

/** Bytes read from the disk at once: large reads are fast, but many clients together must stay small. */
const LARGEST_READ = 1024 * 1024;
const SMALLEST_READ = 64 * 1024;
const MEMORY_FOR_READS = 8 * 1024 * 1024;

/** `GET` and `HEAD /v2/NAME/blobs/DIGEST`, whole or a range. */
export const getBlob: Endpoint = async (exchange) => {
  const { route, storage } = exchange;
  const digest = expectDigest(route.reference);
  const blob = await storage.blobs.open(route.repository, digest);
  if (blob === undefined) throw new RegistryFault(404, "BLOB_UNKNOWN", "the blob is not in this repository");
  try {
    await send(exchange, blob, digest);
  } finally {
    await blob.file.close();
  }
};

async function send(exchange: Exchange, { file, size }: OpenedBlob, digest: string): Promise<void> {
  const { metrics, request, response } = exchange;
  const range = request.method === "GET" ? parseRange(request.headers.range, size) : undefined;
  const headers = {
    "accept-ranges": "bytes",
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    etag: `"${digest}"`,
    // What a digest names never changes; what comes from here must not be run by a browser.
    "cache-control": "private, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
  };
  if (range === "unsatisfiable") {
    throw new RegistryFault(416, "SIZE_INVALID", "the range lies outside of the blob", {
      headers: { "content-range": `bytes */${size}` },
    });
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const length = { "content-length": end - start + 1 };
  response.writeHead(range ? 206 : 200, { ...headers, ...length, ...formatRange(range, size) });
  if (request.method === "HEAD" || size === 0) {
    response.end();
    return;
  }
  await metrics.whileSending(async (clients) => {
    const share = Math.floor(MEMORY_FOR_READS / clients);
    const bufferSize = Math.max(SMALLEST_READ, Math.min(LARGEST_READ, share));
    await sendFile(file, response, { range: { start, end }, bufferSize });
  });
}

function formatRange(range: ByteRange | undefined, size: number): Record<string, string> {
  return range === undefined ? {} : { "content-range": `bytes ${range.start}-${range.end}/${size}` };
}
