// SPDX-License-Identifier: Apache-2.0
import { BufferPool } from "../core/buffer-pool.ts";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { type CompressedMember, compressMembers } from "./compress-members.ts";

/** Uncompressed bytes of each frame but the last. A part of the format: another size gives other bytes. */
export const ZSTD_FRAME_SIZE: number = 4 * 1024 * 1024;

/** Optional parts of {@link compressZstd}. */
export interface CompressZstdOptions {
  /** 1 (fast) to 19 (small). Absent: 3. */
  readonly level?: number;
  readonly signal?: AbortSignal | undefined;
}

/** All streams share it. */
const pool = new BufferPool(ZSTD_FRAME_SIZE);

/**
 * Compresses in zstd frames of a fixed size (RFC 8878 section 3.1), several at once, always by the same encoder, so
 * that the same input gives the same bytes.
 *
 * @throws {ToolingError} `PLATFORM_UNAVAILABLE` where the encoder, an optional package, could not be installed
 */
export async function* compressZstd(
  content: LentBytes,
  { level = 3, signal }: CompressZstdOptions = {},
): LendingGenerator {
  const { Encoder } = await loadEncoder();
  const encoder = new Encoder(level);
  const compress = async (buffer: ArrayBuffer, length: number): Promise<CompressedMember> => ({
    member: await encoder.encode(Buffer.from(buffer, 0, length)),
    buffer,
  });
  yield* compressMembers(content, { memberSize: ZSTD_FRAME_SIZE, pool, compress, signal });
}

async function loadEncoder(): Promise<typeof import("@toondepauw/node-zstd")> {
  try {
    return await import("@toondepauw/node-zstd");
  } catch (error) {
    throw new ToolingError("PLATFORM_UNAVAILABLE", "zstd compression is not available on this machine", {
      hint: 'Choose "gzip", or install the package with its optional dependencies.',
      cause: error,
    });
  }
}
