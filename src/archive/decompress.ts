// SPDX-License-Identifier: Apache-2.0
import { createGunzip } from "node:zlib";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { ByteReader } from "./byte-reader.ts";
import { decompressXz } from "./decompress-xz.ts";
import { decompressZstd } from "./decompress-zstd.ts";
import { invalidCompressed } from "./invalid-compressed.ts";
import { limitExceeded, READ_LIMITS, type ReadLimits } from "./read-limits.ts";
import { readThroughTransform } from "./read-through-transform.ts";

/** How content may be compressed. */
export type CompressionFormat = "gzip" | "xz" | "zstd" | "none";

/** Optional parts of {@link decompress}. */
export interface DecompressOptions {
  /** Absent: told from the first bytes. */
  readonly format?: CompressionFormat | undefined;
  readonly limits?: ReadLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decompresses in constant memory. Several members, streams or frames in a row are one content.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID` for truncation, damage and trailing garbage; `ARCHIVE_LIMIT_EXCEEDED` for
 * content that grows beyond the limits, as soon as it does
 */
export async function* decompress(
  content: LentBytes,
  { format, limits, signal }: DecompressOptions = {},
): LendingGenerator {
  const bounds = { ...READ_LIMITS, ...limits };
  const input = new CountedInput(content, signal);
  const actual = format ?? (await input.detectFormat());
  let given = 0;
  for await (const chunk of DECODERS[actual](input.read())) {
    signal?.throwIfAborted();
    given += chunk.byteLength;
    if (given > bounds.size) throw limitExceeded(`${actual} content is larger than ${bounds.size} bytes`);
    if (given > RATIO_FROM && given > input.taken * bounds.ratio) {
      throw limitExceeded(`${actual} content grows more than ${bounds.ratio} times`);
    }
    yield chunk;
  }
}

/** Less than this hurts nobody, and short runs of zeros shrink a lot. */
const RATIO_FROM = 64 * 1024 * 1024;

const DECODERS: Readonly<Record<CompressionFormat, (content: LentBytes) => LentBytes>> = {
  gzip: (content) => readThroughTransform("gzip", content, createGunzip({ chunkSize: 256 * 1024 })),
  xz: decompressXz,
  zstd: decompressZstd,
  none: (content) => content,
};

class CountedInput {
  taken = 0;
  readonly #reader: ByteReader;
  readonly #signal: AbortSignal | undefined;

  constructor(content: LentBytes, signal: AbortSignal | undefined) {
    this.#reader = new ByteReader(content);
    this.#signal = signal;
  }

  async detectFormat(): Promise<CompressionFormat> {
    const head = await this.#reader.read(6);
    this.#reader.unread(head);
    const hex = Buffer.from(head).toString("hex");
    if (hex.startsWith("1f8b")) return "gzip";
    if (hex === "fd377a585a00") return "xz";
    if (hex.startsWith("28b52ffd") || /^5.2a4d18/.test(hex)) return "zstd";
    if (hex.startsWith("425a68")) throw invalidCompressed("bzip2", "is not supported");
    return "none";
  }

  async *read(): LendingGenerator {
    try {
      for (;;) {
        this.#signal?.throwIfAborted();
        const piece = await this.#reader.readSome(LARGEST_PIECE);
        if (piece === undefined) return;
        this.taken += piece.byteLength;
        yield piece;
      }
    } finally {
      await this.#reader.close();
    }
  }
}

const LARGEST_PIECE = 64 * 1024;
