// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Descriptor } from "./descriptor.ts";
import { algorithmOf, createDigester, digestOf } from "./digest.ts";

/** What content is expected to be. */
export type ExpectedContent = Pick<Descriptor, "digest" | "size">;

/**
 * Passes content through, and ends well only if it was what was expected. The size is watched all along, so endless
 * content stops at the first byte too many. The consumer must not use what it got before the stream has ended.
 *
 * @throws {ToolingError} `SIZE_MISMATCH`, `DIGEST_MISMATCH`
 */
export async function* verifyStream(
  content: ByteStream,
  expected: ExpectedContent,
  { signal }: Pick<OperationOptions, "signal"> = {},
): AsyncGenerator<Uint8Array> {
  const digester = createDigester(algorithmOf(expected.digest));
  let size = 0;
  for await (const chunk of content) {
    signal?.throwIfAborted();
    size += chunk.byteLength;
    checkSizeSoFar(size, expected);
    digester.update(chunk);
    yield chunk;
  }
  checkContent({ digest: digester.digest(), size }, expected);
}

/**
 * Checks bytes at hand.
 *
 * @throws {ToolingError} `SIZE_MISMATCH`, `DIGEST_MISMATCH`
 */
export function verifyBytes(bytes: Uint8Array, expected: ExpectedContent): void {
  // The size first: it costs nothing.
  checkSizeSoFar(bytes.byteLength, expected);
  checkContent({ digest: digestOf(bytes, algorithmOf(expected.digest)), size: bytes.byteLength }, expected);
}

/** Refuses content that is already too long. */
export function checkSizeSoFar(size: number, expected: ExpectedContent): void {
  if (size > expected.size) throw sizeMismatch(expected, `more than ${expected.size} bytes arrived`);
}

/** Compares what has arrived with what was expected. */
export function checkContent(arrived: ExpectedContent, expected: ExpectedContent): void {
  if (arrived.size !== expected.size) throw sizeMismatch(expected, `only ${arrived.size} arrived`);
  if (arrived.digest === expected.digest) return;
  throw new ToolingError(
    "DIGEST_MISMATCH",
    `content of "${expected.digest}" arrived as "${arrived.digest}"`,
    {
      hint: "Try again; if it stays the same, do not trust that source.",
    },
  );
}

function sizeMismatch({ digest, size }: ExpectedContent, got: string): ToolingError {
  return new ToolingError("SIZE_MISMATCH", `content of "${digest}" should have ${size} bytes but ${got}`, {
    hint: "Try again; if it stays the same, do not trust that source.",
  });
}
