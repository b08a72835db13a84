// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../core/byte-stream.ts";
import { WORKER_THREADS } from "./worker-thread.ts";

/** A compressed member, and the input's buffer for the next one. */
export interface CompressedMember {
  readonly member: Uint8Array;
  readonly buffer: ArrayBuffer;
}

/** How {@link compressMembers} works. */
export interface CompressMembersOptions {
  /** Uncompressed bytes of each member but the last. */
  readonly memberSize: number;
  /** Compresses the first `length` bytes of `buffer`, which is its own until it gives it back. */
  readonly compress: (buffer: ArrayBuffer, length: number) => Promise<CompressedMember>;
  readonly signal?: AbortSignal | undefined;
}

/** Cuts content into members of a fixed size, compresses a few of them at once, and gives them out in order. */
export async function* compressMembers(
  content: ByteStream,
  { memberSize, compress, signal }: CompressMembersOptions,
): AsyncGenerator<Uint8Array> {
  const spare: ArrayBuffer[] = [];
  const running: Promise<CompressedMember>[] = [];
  const finishFirst = async (): Promise<Uint8Array> => {
    const { member, buffer } = (await running.shift()) as CompressedMember;
    spare.push(buffer);
    return member;
  };
  try {
    for await (const { buffer, length } of cutMembers(content, memberSize, spare)) {
      signal?.throwIfAborted();
      running.push(compress(buffer, length));
      if (running.length > WORKER_THREADS) yield await finishFirst();
    }
    while (running.length > 0) {
      signal?.throwIfAborted();
      yield await finishFirst();
    }
  } finally {
    // Left early: the threads finish these on their own, and nobody is to be told of their failure.
    for (const left of running) left.catch(() => undefined);
  }
}

interface Member {
  readonly buffer: ArrayBuffer;
  readonly length: number;
}

/** Full members and a last, shorter one. Empty content is one empty member. */
async function* cutMembers(
  content: ByteStream,
  memberSize: number,
  spare: ArrayBuffer[],
): AsyncGenerator<Member> {
  let buffer: ArrayBuffer | undefined;
  let length = 0;
  let isFirst = true;
  for await (const chunk of content) {
    for (let offset = 0; offset < chunk.byteLength;) {
      buffer ??= spare.pop() ?? new ArrayBuffer(memberSize);
      const piece = chunk.subarray(offset, offset + memberSize - length);
      new Uint8Array(buffer).set(piece, length);
      offset += piece.byteLength;
      length += piece.byteLength;
      if (length < memberSize) continue;
      yield { buffer, length };
      [buffer, length, isFirst] = [undefined, 0, false];
    }
  }
  if (length > 0 || isFirst) yield { buffer: buffer ?? new ArrayBuffer(0), length };
}
