// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ByteStream } from "../core/byte-stream.ts";
import { isSystemError } from "../core/error.ts";
import { invalidCompressed } from "./invalid-compressed.ts";

/** What a decoder of node:zlib makes of `content`; its errors become `ARCHIVE_INVALID`. */
export async function* readThroughTransform(
  format: string,
  content: ByteStream,
  transform: Transform,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(content, { objectMode: true, highWaterMark: 2 });
  const written = pipeline(source, transform);
  // Met below, by whoever reads.
  written.catch(() => undefined);
  try {
    for await (const chunk of transform as AsyncIterable<Buffer>) yield chunk;
    await written;
  } catch (error) {
    throw isDecoderError(error)
      ? invalidCompressed(format, error.code === "Z_BUF_ERROR" ? "is cut short" : "is damaged", error)
      : error;
  } finally {
    transform.destroy();
    source.destroy();
    // The source may have files open, and the reader may want to remove them next.
    if (!source.closed) await once(source, "close").catch(() => undefined);
  }
}

function isDecoderError(error: unknown): error is NodeJS.ErrnoException {
  return isSystemError(error) && /^(?:Z_|ZSTD_|ERR_ZSTD|ERR_TRAILING)/.test(error.code ?? "");
}
