// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { ByteStream } from "../../../core/byte-stream.ts";
import { algorithmOf, type Digest, type DigestAlgorithm } from "../../../oci/index.ts";
import { makeDeferred } from "../deferred.ts";
import { RegistryFault } from "../registry-fault.ts";

/** Bytes read at once when a blob must be hashed again. */
const READ_SIZE = 512 * 1024;

/** Bytes after which the disk is told to keep what it was given so far. */
const SYNC_STEP = 8 * 1024 * 1024;

/** Where an upload belongs and how it is kept. */
export interface UploadOptions {
  /** Unguessable: who knows it may continue the upload. */
  readonly id: string;
  readonly repository: string;
  /** The file that receives the bytes. */
  readonly path: string;
  readonly algorithm: DigestAlgorithm;
  /** Largest blob in bytes. */
  readonly limit: number;
  /** Bytes to gather before they go to the disk in one call. */
  readonly batchSize: () => number;
}

/** A blob on its way in. Its bytes are hashed as they come and are visible to nobody. */
export class Upload {
  readonly id: string;
  readonly repository: string;
  readonly path: string;
  /** Milliseconds since the epoch. */
  lastUsed: number;
  readonly #algorithm: DigestAlgorithm;
  readonly #limit: number;
  readonly #batchSize: () => number;
  #hash: Hash;
  #size = 0;
  #current: { readonly stop: () => void; readonly done: Promise<void> } | undefined;

  constructor({ id, repository, path, algorithm, limit, batchSize }: UploadOptions, now: number) {
    this.id = id;
    this.repository = repository;
    this.path = path;
    this.#algorithm = algorithm;
    this.#limit = limit;
    this.#batchSize = batchSize;
    this.#hash = createHash(algorithm);
    this.lastUsed = now;
  }

  /** Bytes received. */
  get size(): number {
    return this.#size;
  }

  /** Whether a request is at work on it now. */
  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  /**
   * Runs `work` alone. A request that is still at work is stopped first: a client that sends again has
   * given that connection up, even when this end has not noticed yet.
   */
  async runAlone<T>(stop: () => void, work: () => Promise<T>): Promise<T> {
    while (this.#current !== undefined) {
      this.#current.stop();
      await this.#current.done;
    }
    const turn = makeDeferred();
    this.#current = { stop, done: turn.promise };
    try {
      return await work();
    } finally {
      this.#current = undefined;
      turn.resolve();
    }
  }

  /**
   * Adds what `body` yields. When `body` fails half-way, what came is kept and can be continued.
   *
   * @param expected Bytes that must come, when known. With more or fewer the upload is as it was before.
   * @throws {RegistryFault} 400 `SIZE_INVALID`, 413 past the limit
   */
  async append(body: ByteStream, expected: number | undefined): Promise<void> {
    const before = { hash: this.#hash.copy(), size: this.#size };
    const file = await open(this.path, this.#size === 0 ? "w" : "r+");
    try {
      await this.#receive(file, body, expected ?? Number.POSITIVE_INFINITY);
      const received = this.#size - before.size;
      if (expected !== undefined && received !== expected) throw wrongSize(expected, received);
    } catch (error) {
      if (error instanceof RegistryFault) {
        await file.truncate(before.size);
        this.#hash = before.hash;
        this.#size = before.size;
      }
      throw error;
    } finally {
      await file.close();
    }
  }

  /**
   * Checks the bytes received against `digest` and makes them durable.
   *
   * @throws {RegistryFault} 400 `DIGEST_INVALID`
   */
  async verify(digest: Digest): Promise<void> {
    const file = await open(this.path, "r+");
    try {
      const { size } = await file.stat();
      if (size !== this.#size) throw new Error(`the file of an upload has ${size} bytes, not ${this.#size}`);
      const actual = await this.#computeDigest(file, algorithmOf(digest));
      if (actual !== digest) {
        throw new RegistryFault(
          400,
          "DIGEST_INVALID",
          "the content does not have the digest that was announced",
          {
            detail: { expected: digest, actual },
          },
        );
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
  }

  async #receive(file: FileHandle, body: ByteStream, expected: number): Promise<void> {
    const start = this.#size;
    // The disk works while bytes come, so that little is left to wait for at the end.
    let synced = start;
    let syncing: Promise<void> = Promise.resolve();
    let batch: Uint8Array[] = [];
    let batched = 0;
    const flush = async (): Promise<void> => {
      const [chunks, length] = [batch, batched];
      batch = [];
      batched = 0;
      await this.#write(file, chunks, length);
    };
    try {
      for await (const chunk of body) {
        batch.push(chunk);
        batched += chunk.byteLength;
        const total = this.#size + batched;
        if (total - start > expected) throw wrongSize(expected, total - start);
        if (total > this.#limit) throw tooLarge(this.#limit);
        if (batched >= this.#batchSize()) await flush();
        if (this.#size - synced >= SYNC_STEP) {
          await syncing;
          synced = this.#size;
          syncing = file.datasync();
          // Whoever waits for it sees the failure; until then it must not count as unhandled.
          syncing.catch(() => undefined);
        }
      }
    } finally {
      if (batched > 0) await flush();
      await syncing;
    }
  }

  async #write(file: FileHandle, chunks: readonly Uint8Array[], length: number): Promise<void> {
    const before = this.#hash.copy();
    const writing = file.writev([...chunks], this.#size);
    // Hashed while it is being written; undone when that fails.
    for (const chunk of chunks) this.#hash.update(chunk);
    try {
      await this.#complete(file, chunks, (await writing).bytesWritten);
    } catch (error) {
      this.#hash = before;
      throw error;
    }
    this.#size += length;
  }

  /** Writes what a full disk, or a signal, has kept the system from writing at once. */
  async #complete(file: FileHandle, chunks: readonly Uint8Array[], bytesWritten: number): Promise<void> {
    const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    if (bytesWritten < length) {
      const rest = Buffer.concat(chunks).subarray(bytesWritten);
      for (let done = 0; done < rest.byteLength;) {
        const more = await file.write(rest, done, rest.byteLength - done, this.#size + bytesWritten + done);
        done += more.bytesWritten;
      }
    }
  }

  async #computeDigest(file: FileHandle, algorithm: DigestAlgorithm): Promise<Digest> {
    if (algorithm === this.#algorithm) return `${algorithm}:${this.#hash.copy().digest("hex")}`;
    const hash = createHash(algorithm);
    for await (const chunk of file.createReadStream({
      start: 0,
      autoClose: false,
      highWaterMark: READ_SIZE,
    })) {
      hash.update(chunk as Uint8Array);
    }
    return `${algorithm}:${hash.digest("hex")}`;
  }
}

function wrongSize(expected: number, received: number): RegistryFault {
  const how = received > expected ? "more" : "fewer";
  return new RegistryFault(400, "SIZE_INVALID", `${how} than the announced ${expected} bytes came`);
}

function tooLarge(limit: number): RegistryFault {
  return new RegistryFault(413, "SIZE_INVALID", `blobs may have at most ${limit} bytes here`);
}
