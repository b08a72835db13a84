// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { close, closeSync, open, readSync, write } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeFolder } from "../core/make-folder.ts";
import { describeWriteFailure } from "../core/atomic-file.ts";
import { BufferPool } from "../core/buffer-pool.ts";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { readOpenFile } from "../core/file-content.ts";
import { SpoolBatch } from "./spool-batch.ts";

const openFile = promisify(open);
const writeTo = promisify(write);
const closeFile = promisify(close);

/** Small files are written together, a buffer at a time, and read from the system's memory without a detour. */
const pool = new BufferPool(256 * 1024);
const SMALL = pool.size / 4;

/** Closes the files of spools that nobody closed and nobody can read any more. */
const leftovers = new FinalizationRegistry<number>((file) => closeSync(file));

/** A stretch of the spool. */
export interface SpooledContent {
  /** Bytes. */
  readonly size: number;
  /** Opens the content from its start; may be called more than once until the spool is closed. */
  readonly open: () => LentBytes;
}

/**
 * One temporary file for the content of many small ones, so that a whole package set is sorted without being in
 * memory. It has no name once it is open, so nothing stays behind whatever happens.
 */
export class ContentSpool {
  readonly #file: number;
  readonly #path: string;
  #end = 0;
  /** Where small files go now. */
  #batch: { readonly start: number; readonly files: SpoolBatch } | undefined;

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
  async store(content: LentBytes, size: number): Promise<SpooledContent> {
    if (size <= SMALL) return await this.#gather(content, size);
    const start = this.#reserve(size);
    let position = start;
    for await (const chunk of content) {
      await this.#write(chunk, position);
      position += chunk.byteLength;
    }
    return { size, open: () => readOpenFile(this.#file, { start, length: size }) };
  }

  async close(): Promise<void> {
    leftovers.unregister(this);
    await closeFile(this.#file);
    await rm(this.#path, { force: true });
  }

  async #gather(content: LentBytes, size: number): Promise<SpooledContent> {
    const full = this.#batch?.files.hasRoomFor(size) === true ? undefined : this.#batch;
    if (this.#batch === undefined || full !== undefined) {
      const start = this.#reserve(pool.size);
      this.#batch = { start, files: new SpoolBatch(pool, (bytes) => this.#write(bytes, start)) };
    }
    const { start, files } = this.#batch;
    const { at, filled } = files.add(content, size);
    await filled;
    await full?.files.settle();
    return { size, open: () => this.#readSmall(files, start + at, size) };
  }

  #reserve(size: number): number {
    const start = this.#end;
    this.#end += size;
    return start;
  }

  async #write(bytes: Uint8Array, start: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.byteLength;) {
        const { bytesWritten } = await writeTo(
          this.#file,
          bytes,
          done,
          bytes.byteLength - done,
          start + done,
        );
        done += bytesWritten;
      }
    } catch (error) {
      throw describeWriteFailure(error, this.#path);
    }
  }

  /** It was written a moment ago, so the system has it in memory: asking there takes less time than waiting for a thread. */
  async *#readSmall(batch: SpoolBatch, start: number, size: number): LendingGenerator {
    await batch.settle();
    const bytes = new Uint8Array(pool.take(), 0, size);
    try {
      for (let done = 0; done < size;) {
        const read = readSync(this.#file, bytes, done, size - done, start + done);
        if (read === 0) throw new RangeError(`the spool ends at ${start + done}`);
        done += read;
      }
      if (size > 0) yield bytes;
    } finally {
      pool.give(bytes.buffer);
    }
  }
}
