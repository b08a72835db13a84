// SPDX-License-Identifier: Apache-2.0
import { read } from "node:fs";
import { promisify } from "node:util";
import { BufferPool } from "./buffer-pool.ts";
import type { LendingGenerator, LentBytes } from "./byte-stream.ts";
import { openPatiently } from "./file-limit.ts";
import { GatheredBytes } from "./gathered-bytes.ts";

/** Which part of a file is read. */
export interface FileRange {
  /** Bytes to pass over. Absent: none. */
  readonly start?: number | undefined;
  /** Bytes to read at most. Absent: all that follow. */
  readonly length?: number | undefined;
}

const pool = new BufferPool(256 * 1024);
const readInto = promisify(read);

/**
 * The bytes of a file, a piece ahead of the consumer and all in the same few buffers.
 *
 * @throws {ToolingError} `FILE_LIMIT_EXCEEDED`; other errors of the file system pass through
 */
export async function* readFileContent(path: string, range: FileRange = {}): LendingGenerator {
  const file = await openPatiently(path, "r");
  try {
    yield* readOpenFile(file.fd, range);
  } finally {
    await file.close();
  }
}

/** As {@link readFileContent}, of a file that is open and stays so. */
export async function* readOpenFile(
  file: number,
  { start = 0, length = Number.POSITIVE_INFINITY }: FileRange = {},
): LendingGenerator {
  const end = start + length;
  let at = start;
  let next = readPiece(file, at, end);
  try {
    for (;;) {
      const piece = await next;
      if (piece.byteLength === 0) return;
      at += piece.byteLength;
      next = readPiece(file, at, end);
      // It fails for whoever awaits it, which may be nobody.
      next.catch(() => undefined);
      try {
        yield piece;
      } finally {
        pool.give(piece.buffer);
      }
    }
  } finally {
    // The file must not be closed, nor the buffer be used by others, while it is being read.
    await next.then(({ buffer }) => pool.give(buffer)).catch(() => undefined);
  }
}

async function readPiece(file: number, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  if (start >= end) return new Uint8Array(0);
  const buffer = pool.take();
  const { bytesRead } = await readInto(
    file,
    new Uint8Array(buffer),
    0,
    Math.min(buffer.byteLength, end - start),
    start,
  );
  return new Uint8Array(buffer, 0, bytesRead);
}

/** Optional parts of {@link writeFileContent}. */
export interface WriteFileContentOptions {
  /** File mode bits, of which the umask takes away. Absent: `0o666`. */
  readonly mode?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a file that is not there yet. Small chunks are gathered, so that not each of them costs a call.
 *
 * @throws {ToolingError} `FILE_LIMIT_EXCEEDED`; other errors of the file system, and those of `content`, pass through
 */
export async function writeFileContent(
  path: string,
  content: LentBytes,
  { mode = 0o666, signal }: WriteFileContentOptions = {},
): Promise<void> {
  const file = await openPatiently(path, "wx", mode);
  const gathered = new GatheredBytes(pool);
  const write = async (chunk: Uint8Array): Promise<void> => {
    if (chunk.byteLength > 0) await file.writeFile(chunk);
  };
  try {
    for await (const chunk of content) {
      signal?.throwIfAborted();
      if (!gathered.hasRoomFor(chunk.byteLength)) await write(gathered.takeAll());
      if (gathered.hasRoomFor(chunk.byteLength)) gathered.add(chunk);
      else await write(chunk);
    }
    await write(gathered.takeAll());
  } finally {
    await file.close();
    gathered.close();
  }
}
