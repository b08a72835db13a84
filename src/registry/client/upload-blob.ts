// SPDX-License-Identifier: Apache-2.0
import { type ByteStream, collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { algorithmOf, type Descriptor, digestOf } from "../../oci/index.ts";
import type { RepositoryApi } from "./repository-api.ts";
import { streamBlob } from "./stream-blob.ts";
import { attempt, checkClosing, closingRequest, type UploadAttempt } from "./upload-attempt.ts";
import { cancelSession, openSession, type UploadSession } from "./upload-session.ts";

/** Blobs up to this size are held in memory, so that they can be sent again without further ado. */
const SMALL = 1024 * 1024;

/** Optional parts of {@link uploadBlob}. */
export interface UploadBlobOptions extends OperationOptions {
  /** An upload that is open already. Absent: one is opened. */
  readonly session?: UploadSession | undefined;
  /** Bytes of one request. Absent: all in one. */
  readonly chunkSize?: number | undefined;
}

/**
 * Sends a blob. Small ones in one piece, others as a stream that is taken up again where it broke.
 *
 * @throws {ToolingError} `SIZE_MISMATCH`, `DIGEST_MISMATCH` and those of the transport
 */
export async function uploadBlob(
  api: RepositoryApi,
  descriptor: Descriptor,
  content: ByteStream,
  options: UploadBlobOptions,
): Promise<void> {
  if (descriptor.size > SMALL) {
    await streamBlob(api, descriptor, content, options);
    return;
  }
  const { digest, size } = descriptor;
  const excess = (): ToolingError => mismatch("SIZE_MISMATCH", digest, `more than ${size} bytes`);
  const bytes = await collectBytes(content, { limit: size, onExcess: excess });
  if (bytes.byteLength < size) throw mismatch("SIZE_MISMATCH", digest, `only ${bytes.byteLength} bytes`);
  const actual = digestOf(bytes, algorithmOf(digest));
  if (actual !== digest) throw mismatch("DIGEST_MISMATCH", digest, `the digest ${actual}`);
  await sendBytes(api, descriptor, bytes, options);
}

/** Each try in an upload of its own: nobody knows what a broken one holds. */
async function sendBytes(
  api: RepositoryApi,
  { digest }: Descriptor,
  bytes: Uint8Array,
  options: UploadBlobOptions,
): Promise<void> {
  const clock = api.transport.startClock();
  let session = options.session;
  let wasRefused = false;
  for (;;) {
    session ??= await openSession(api, algorithmOf(digest), options);
    const { failure, asked, response, isPassing } = await sendInto(api, session, { digest, bytes }, options);
    if (failure === undefined) {
      checkClosing(api, digest, response);
      return;
    }
    await cancelSession(api, session);
    session = undefined;
    const isNews: boolean = response?.status === 401 && !wasRefused;
    wasRefused ||= isNews;
    if (response?.status !== 404 && !isNews && !isPassing) throw failure;
    await api.transport.wait(clock, { failure, asked }, options);
  }
}

async function sendInto(
  api: RepositoryApi,
  session: UploadSession,
  { digest, bytes }: { readonly digest: string; readonly bytes: Uint8Array },
  options: OperationOptions,
): Promise<UploadAttempt> {
  try {
    return await attempt(api, closingRequest(api, session, digest, bytes), options);
  } catch (error) {
    await cancelSession(api, session);
    throw error;
  }
}

function mismatch(code: "DIGEST_MISMATCH" | "SIZE_MISMATCH", digest: string, what: string): ToolingError {
  return new ToolingError(code, `content for "${digest}" has ${what}`, {
    hint: "Check where it comes from: the content has changed, or its description is wrong.",
  });
}
