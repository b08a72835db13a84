// SPDX-License-Identifier: Apache-2.0

/** Bytes in order, each chunk owned by the consumer. A Node `Readable` is one. */
export type ByteStream = AsyncIterable<Uint8Array>;

/** Optional parts of {@link collectBytes}. */
export interface CollectBytesOptions {
  /** Largest accepted size in bytes. Absent: no limit; name one for anything that came over a network. */
  readonly limit?: number;
  /** Makes the error when `limit` is passed. Absent: a `RangeError`. */
  readonly onExcess?: () => Error;
}

/** Reads a whole stream into one array. Only for small documents, never for layers. */
export async function collectBytes(
  content: ByteStream,
  { limit = Number.POSITIVE_INFINITY, onExcess }: CollectBytesOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.byteLength;
    if (size > limit) throw onExcess?.() ?? new RangeError(`content is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return concatBytes(chunks, size);
}

/** A stream of one chunk, or of none when `bytes` is empty. */
export async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

function concatBytes(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
