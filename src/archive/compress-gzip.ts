// SPDX-License-Identifier: Apache-2.0
import { BufferPool } from "../core/buffer-pool.ts";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { WorkerThreads } from "../core/worker-thread.ts";
import { type CompressedMember, compressMembers } from "./compress-members.ts";

/** Uncompressed bytes of each member but the last. A part of the format: another size gives other bytes. */
export const GZIP_MEMBER_SIZE: number = 1024 * 1024;

/** What a member of random bytes may grow by: some five bytes for each five thousand, and header and trailer. */
const LARGEST_GROWTH = 16 * 1024;

/** Optional parts of {@link compressGzip}. */
export interface CompressGzipOptions {
  /** 1 (fast) to 12 (small). Absent: 6. */
  readonly level?: number;
  readonly signal?: AbortSignal | undefined;
}

/** All streams share them. */
const threads = new WorkerThreads(new URL("./gzip-worker.mjs", import.meta.url));
const pool = new BufferPool(GZIP_MEMBER_SIZE + LARGEST_GROWTH);

/**
 * Compresses on worker threads, in gzip members of a fixed size (RFC 1952 section 2.2), so that the same input gives
 * the same bytes whatever the CPU, the Node.js build and the number of threads. No time and no system in the headers.
 */
export function compressGzip(
  content: LentBytes,
  { level = 6, signal }: CompressGzipOptions = {},
): LendingGenerator {
  const compress = async (buffer: ArrayBuffer, length: number): Promise<CompressedMember> =>
    await threads.leastLoaded().call({ buffer, length, level }, [buffer]);
  return compressMembers(content, { memberSize: GZIP_MEMBER_SIZE, pool, compress, signal });
}
