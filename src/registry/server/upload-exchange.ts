// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../../oci/index.ts";
import { announcedLength, answer, type Exchange, expectDigest, openBody } from "./exchange.ts";
import { parseChunkRange } from "./range.ts";
import { RegistryFault } from "./registry-fault.ts";
import type { Upload } from "./storage/upload.ts";

/** Runs `work` on the upload that the path names, alone. */
export async function withUpload(exchange: Exchange, work: (upload: Upload) => Promise<void>): Promise<void> {
  const { request, route, storage } = exchange;
  const upload = storage.uploads.find(route.repository, route.reference);
  await upload.runAlone(
    () => request.destroy(),
    // While this request waited, the other one may have finished the upload.
    async () => work(storage.uploads.find(route.repository, route.reference)),
  );
}

/** Adds the body of the request to the upload, at the place that `Content-Range` names. */
export async function receiveChunk(exchange: Exchange, upload: Upload): Promise<void> {
  const length = announcedLength(exchange);
  const header = exchange.request.headers["content-range"];
  if (header === undefined) {
    await upload.append(openBody(exchange), length);
    return;
  }
  const range = parseChunkRange(header);
  if (range === undefined) {
    throw new RegistryFault(400, "BLOB_UPLOAD_INVALID", 'the range must read "START-END", both in bytes');
  }
  if (range.start !== upload.size) throw outOfOrder(upload);
  const size = range.end - range.start + 1;
  if (length !== undefined && length !== size) {
    throw new RegistryFault(400, "SIZE_INVALID", `the range holds ${size} bytes, the body ${length}`);
  }
  await upload.append(openBody(exchange), size);
}

/** Makes the upload a blob and says where it is. */
export async function finishUpload(exchange: Exchange, upload: Upload, text: string): Promise<void> {
  const { storage } = exchange;
  const digest = expectDigest(text);
  await upload.verify(digest);
  await storage.blobs.add(upload.repository, digest, upload.path);
  await storage.uploads.close(upload);
  answerCreated(exchange, digest);
}

/** Answers 201 with the place of a blob. */
export function answerCreated(exchange: Exchange, digest: Digest): void {
  answer(exchange, {
    status: 201,
    headers: {
      location: `/v2/${exchange.route.repository}/blobs/${digest}`,
      "docker-content-digest": digest,
    },
  });
}

/** Where the upload goes on, and what has come. Before the first byte the range reads `0-0`, as elsewhere. */
export function describeUpload({ id, repository, size }: Upload): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    "docker-upload-uuid": id,
  };
}

function outOfOrder(upload: Upload): RegistryFault {
  return new RegistryFault(416, "BLOB_UPLOAD_INVALID", `the next chunk must start at byte ${upload.size}`, {
    headers: describeUpload(upload),
  });
}
