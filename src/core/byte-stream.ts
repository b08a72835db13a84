// SPDX-License-Identifier: Apache-2.0

/** Tells {@link ByteStream} and {@link LentBytes} apart for the compiler; no stream has such a member. */
declare const chunksAre: unique symbol;

/** Bytes in order, each chunk owned by the consumer. A Node `Readable` is one. */
export type ByteStream = AsyncIterable<Uint8Array> & { readonly [chunksAre]?: "owned" };

/**
 * Bytes in order, each chunk lent: the consumer reads it until it asks for the next one, or leaves, and copies what it
 * needs longer, because the same memory is filled again. What goes through gigabytes on its way into an archive or out
 * of one is lent. A {@link ByteStream} serves wherever this is asked for, and not the other way round.
 */
export type LentBytes = AsyncIterable<Uint8Array> & { readonly [chunksAre]?: "owned" | "lent" };

/** Bytes that are lent, by a generator. */
export type LendingGenerator = AsyncGenerator<Uint8Array> & LentBytes;

/** Optional parts of {@link collectBytes}. */
export interface CollectBytesOptions {
  /** Largest accepted size in bytes. Absent: no limit; name one for anything that came over a network. */
  readonly limit?: number;
  /** Makes the error when `limit` is passed. Absent: a `RangeError`. */
  readonly onExcess?: () => Error;
}

/** Reads a whole stream into one array. Only for small documents, never for layers. */
export async function collectBytes(
  content: LentBytes,
  { limit = Number.POSITIVE_INFINITY, onExcess }: CollectBytesOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.byteLength;
    if (size > limit) throw onExcess?.() ?? new RangeError(`content is larger than ${limit} bytes`);
    chunks.push(new Uint8Array(chunk));
  }
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : concatBytes(chunks, size);
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
