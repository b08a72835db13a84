// SPDX-License-Identifier: Apache-2.0
import type { LendingGenerator } from "../../src/core/byte-stream.ts";

/** What a lent chunk holds once its time is over. No content of ours looks like that. */
const STALE = 0xa5;

/** `bytes` in chunks of `size`, all in the same memory: a consumer that keeps a chunk finds other bytes in it. */
export async function* lentBytes(bytes: Uint8Array, size: number): LendingGenerator {
  const memory = new Uint8Array(size);
  for (let at = 0; at < bytes.byteLength; at += size) {
    const chunk = memory.subarray(0, Math.min(size, bytes.byteLength - at));
    chunk.set(bytes.subarray(at, at + size));
    try {
      yield chunk;
    } finally {
      memory.fill(STALE);
    }
  }
}
