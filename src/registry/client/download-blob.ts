// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../../core/byte-stream.ts";
import { isSystemError, ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { algorithmOf, createDigester, type Descriptor } from "../../oci/index.ts";
import { headerOf, type HttpResponse } from "./http-exchange.ts";
import { describeConnectionFailure } from "./registry-failure.ts";
import type { RepositoryApi } from "./repository-api.ts";
import { isTemporaryFailure } from "../../core/temporary-failure.ts";
import type { RetryClock } from "./retry.ts";

/**
 * Streams a blob. A connection that breaks is taken up where it broke; size and digest are those of the descriptor,
 * or the stream ends in an error. The consumer publishes nothing before the stream has ended well.
 *
 * @throws {ToolingError} `BLOB_NOT_FOUND`, `DIGEST_MISMATCH`, `SIZE_MISMATCH` and those of the transport
 */
export async function* downloadBlob(
  api: RepositoryApi,
  descriptor: Descriptor,
  options: OperationOptions,
): ByteStream {
  const { digest, size } = descriptor;
  const digester = createDigester(algorithmOf(digest));
  let clock = api.transport.startClock();
  let done = 0;
  do {
    const before = done;
    try {
      for await (const chunk of openRange(api, descriptor, done, options)) {
        done += chunk.byteLength;
        digester.update(chunk);
        yield chunk;
      }
      if (done < size) throw cutShort(api, descriptor, done);
    } catch (error) {
      if (done > before) clock = api.transport.startClock();
      await recover(api, clock, error, options);
    }
  } while (done < size);
  const actual = digester.digest();
  if (actual !== digest) throw mismatch(api, descriptor, actual);
}

async function recover(
  api: RepositoryApi,
  clock: RetryClock,
  error: unknown,
  options: OperationOptions,
): Promise<void> {
  const isCut = error instanceof ToolingError && error.code === "DOWNLOAD_TRUNCATED";
  if (!isCut && !isTemporaryFailure(error) && !isBrokenBody(error)) throw error;
  await api.transport.wait(
    clock,
    { failure: describeConnectionFailure(error, api.transport.url), asked: undefined },
    options,
  );
}

/** How Node.js and undici say that a body stopped in the middle. */
function isBrokenBody(error: unknown): boolean {
  return (
    isSystemError(error, "ERR_STREAM_PREMATURE_CLOSE") ||
    (error instanceof TypeError && error.message === "terminated")
  );
}

async function* openRange(
  api: RepositoryApi,
  descriptor: Descriptor,
  start: number,
  options: OperationOptions,
): ByteStream {
  const { digest, size } = descriptor;
  const headers = { "accept-encoding": "identity", ...(start > 0 && { range: `bytes=${start}-` }) };
  const request = { method: "GET", url: api.blob(digest), headers, scopes: api.pull } as const;
  const response = await api.transport.send({ ...request, accept: [200, 206, 404, 416] }, options);
  const skip = await checkAnswer(api, descriptor, start, response);
  let passed = 0;
  let received = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    received += chunk.byteLength;
    if (skip + size - start < received) throw wrongSize(api, descriptor, `more than ${size} bytes`);
    const rest = passed < skip ? chunk.subarray(Math.min(chunk.byteLength, skip - passed)) : chunk;
    passed += chunk.byteLength;
    if (rest.byteLength > 0) yield rest;
  }
}

/** Returns how many bytes of the answer are there already: a registry may send all again. */
async function checkAnswer(
  api: RepositoryApi,
  descriptor: Descriptor,
  start: number,
  response: HttpResponse,
): Promise<number> {
  const { size } = descriptor;
  if (response.status === 404) {
    await response.body.dump();
    throw unknownBlob(api, descriptor);
  }
  const isWhole = response.status === 200;
  const length = headerOf(response, "content-length") ?? String(isWhole ? size : size - start);
  const isRange = start > 0 && isRangeFrom(headerOf(response, "content-range"), start, size);
  const isExpected = isWhole || (response.status === 206 && isRange);
  if (isExpected && Number(length) === (isWhole ? size : size - start)) return isWhole ? start : 0;
  await response.body.dump();
  throw isExpected ? wrongSize(api, descriptor, `${length} bytes`) : noRange(api, descriptor, start);
}

function isRangeFrom(header: string | undefined, start: number, size: number): boolean {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header ?? "");
  if (match === null) return false;
  return (
    Number(match[1]) === start &&
    Number(match[2]) === size - 1 &&
    (match[3] === "*" || Number(match[3]) === size)
  );
}

function unknownBlob({ title }: RepositoryApi, { digest }: Descriptor): ToolingError {
  return new ToolingError("BLOB_NOT_FOUND", `"${title}" has no blob "${digest}"`, {
    hint: "Publish the image again, or copy it from where it is complete.",
  });
}

function noRange({ title }: RepositoryApi, { digest }: Descriptor, start: number): ToolingError {
  return new ToolingError("REGISTRY_FAILED", `"${title}" cannot continue "${digest}" at byte ${start}`, {
    hint: "Run the same command again; tell whoever runs that registry if it happens again.",
  });
}

function wrongSize({ title }: RepositoryApi, { digest, size }: Descriptor, what: string): ToolingError {
  return new ToolingError("SIZE_MISMATCH", `"${title}" sends ${what} for "${digest}", which has ${size}`, {
    hint: "Do not use this image; the registry or a proxy before it changes content.",
  });
}

function cutShort({ title }: RepositoryApi, { digest, size }: Descriptor, done: number): ToolingError {
  return new ToolingError(
    "DOWNLOAD_TRUNCATED",
    `"${title}" stopped at byte ${done} of ${size} of "${digest}"`,
    {
      hint: "Run the same command again.",
    },
  );
}

function mismatch({ title }: RepositoryApi, { digest }: Descriptor, actual: string): ToolingError {
  return new ToolingError("DIGEST_MISMATCH", `"${title}" sent ${actual} for "${digest}"`, {
    hint: "Do not use this image; the registry or a proxy before it changes content.",
  });
}
