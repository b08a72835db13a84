// SPDX-License-Identifier: Apache-2.0
import type { BufferPool } from "../core/buffer-pool.ts";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { WORKER_THREADS } from "../core/worker-thread.ts";

/** A compressed member, which may stand in the input's buffer, and that buffer. */
export interface CompressedMember {
  readonly member: Uint8Array;
  readonly buffer: ArrayBuffer;
}

/** How {@link compressMembers} works. */
export interface CompressMembersOptions {
  /** Uncompressed bytes of each member but the last. */
  readonly memberSize: number;
  /** Its buffers hold a member each, at least. */
  readonly pool: BufferPool;
  /** Compresses the first `length` bytes of `buffer`, which is its own until it gives it back. */
  readonly compress: (buffer: ArrayBuffer, length: number) => Promise<CompressedMember>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Cuts content into members of a fixed size, compresses a few of them at once, and gives them out in order. All of
 * it happens in the buffers of the pool: a chunk that is given out is overwritten once the next one is asked for.
 */
export async function* compressMembers(
  content: LentBytes,
  { memberSize, pool, compress, signal }: CompressMembersOptions,
): LendingGenerator {
  const running: Promise<CompressedMember>[] = [];
  const giveFirst = async function* (): LendingGenerator {
    const { member, buffer } = (await running.shift()) as CompressedMember;
    try {
      yield member;
    } finally {
      pool.give(buffer);
    }
  };
  try {
    for await (const { buffer, length } of cutMembers(content, memberSize, pool)) {
      signal?.throwIfAborted();
      running.push(compress(buffer, length));
      if (running.length > WORKER_THREADS) yield* giveFirst();
    }
    while (running.length > 0) {
      signal?.throwIfAborted();
      yield* giveFirst();
    }
  } finally {
    // Left early: the threads finish these on their own, and nobody is to be told of their failure.
    for (const left of running) {
      left.then(({ buffer }) => pool.give(buffer)).catch(() => undefined);
    }
  }
}

interface Member {
  readonly buffer: ArrayBuffer;
  readonly length: number;
}

/** Full members and a last, shorter one. Empty content is one empty member. */
async function* cutMembers(content: LentBytes, memberSize: number, pool: BufferPool): AsyncGenerator<Member> {
  let buffer = pool.take();
  let length = 0;
  let isFirst = true;
  for await (const chunk of content) {
    for (let offset = 0; offset < chunk.byteLength;) {
      const piece = chunk.subarray(offset, offset + memberSize - length);
      new Uint8Array(buffer).set(piece, length);
      offset += piece.byteLength;
      length += piece.byteLength;
      if (length < memberSize) continue;
      yield { buffer, length };
      [buffer, length, isFirst] = [pool.take(), 0, false];
    }
  }
  if (length > 0 || isFirst) yield { buffer, length };
  else pool.give(buffer);
}
