// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { close, closeSync, open, read, write } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeFolder } from "../core/make-folder.ts";
import { describeWriteFailure } from "../core/atomic-file.ts";
import type { ByteStream } from "../core/byte-stream.ts";

const READ_SIZE = 1024 * 1024;

const openFile = promisify(open);
const readFrom = promisify(read);
const writeTo = promisify(write);
const closeFile = promisify(close);

/** Closes the files of spools that nobody closed and nobody can read any more. */
const leftovers = new FinalizationRegistry<number>((file) => closeSync(file));

/** A stretch of the spool. */
export interface SpooledContent {
  /** Bytes. */
  readonly size: number;
  /** Opens the content from its start; may be called more than once until the spool is closed. */
  readonly open: () => ByteStream;
}

/**
 * One temporary file for the content of many small ones, so that a whole package set is sorted without being in
 * memory. It has no name once it is open, so nothing stays behind whatever happens.
 */
export class ContentSpool {
  readonly #file: number;
  readonly #path: string;
  #end = 0;

  private constructor(file: number, path: string) {
    this.#file = file;
    this.#path = path;
    leftovers.register(this, file, this);
  }

  /** @throws {ToolingError} `DISK_FULL`, `FILE_UNWRITABLE` */
  static async open(folder: string): Promise<ContentSpool> {
    const path = join(folder, `.spool-${process.pid}-${randomUUID()}`);
    try {
      await makeFolder(folder);
      const file = await openFile(path, "wx+", 0o600);
      // Where an open file cannot be removed, close() does it.
      await rm(path, { force: true }).catch(() => undefined);
      return new ContentSpool(file, path);
    } catch (error) {
      throw describeWriteFailure(error, path);
    }
  }

  /** Takes in content of a known size. Several may be under way. @throws {ToolingError} `DISK_FULL`, `FILE_UNWRITABLE` */
  async store(content: ByteStream, size: number): Promise<SpooledContent> {
    const start = this.#end;
    this.#end += size;
    let position = start;
    try {
      for await (const chunk of content) {
        for (let offset = 0; offset < chunk.byteLength;) {
          const rest = chunk.byteLength - offset;
          const { bytesWritten } = await writeTo(this.#file, chunk, offset, rest, position);
          offset += bytesWritten;
          position += bytesWritten;
        }
      }
    } catch (error) {
      throw describeWriteFailure(error, this.#path);
    }
    return { size, open: () => this.#read(start, start + size) };
  }

  async close(): Promise<void> {
    leftovers.unregister(this);
    await closeFile(this.#file);
    await rm(this.#path, { force: true });
  }

  async *#read(start: number, end: number): ByteStream {
    for (let position = start; position < end;) {
      const length = Math.min(READ_SIZE, end - position);
      const { bytesRead, buffer } = await readFrom(
        this.#file,
        Buffer.allocUnsafe(length),
        0,
        length,
        position,
      );
      if (bytesRead === 0) throw new RangeError(`the spool ends at ${position}`);
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  }
}
