// SPDX-License-Identifier: Apache-2.0
import type { Transform } from "node:stream";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { isSystemError } from "../core/error.ts";
import { invalidCompressed } from "./invalid-compressed.ts";

/** What a decoder of node:zlib makes of `content`; its errors become `ARCHIVE_INVALID`. */
export async function* readThroughTransform(
  format: string,
  content: LentBytes,
  transform: Transform,
): LendingGenerator {
  const fed = feed(content, transform);
  try {
    for await (const chunk of transform as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw isDecoderError(error)
      ? invalidCompressed(format, error.code === "Z_BUF_ERROR" ? "is cut short" : "is damaged", error)
      : error;
  } finally {
    transform.destroy();
    // The source may have files open, and the reader may want to remove them next.
    await fed;
  }
}

const nobody = (): void => {};

/** Never fails: an error of the content ends the decoder with it. */
async function feed(content: LentBytes, transform: Transform): Promise<void> {
  let wake = nobody;
  transform.once("close", () => wake());
  try {
    for await (const chunk of content) {
      if (transform.destroyed) return;
      // The decoder has done with a chunk before the next is asked for, which may stand in the same memory.
      await new Promise<void>((resolve) => {
        wake = resolve;
        transform.write(chunk, () => resolve());
      });
    }
    transform.end();
  } catch (error) {
    transform.destroy(error as Error);
  }
}

function isDecoderError(error: unknown): error is NodeJS.ErrnoException {
  return isSystemError(error) && /^(?:Z_|ZSTD_|ERR_ZSTD|ERR_TRAILING)/.test(error.code ?? "");
}
