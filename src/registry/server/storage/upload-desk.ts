// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { DigestAlgorithm } from "../../../oci/index.ts";
import { RegistryFault } from "../registry-fault.ts";
import type { StorageFolder } from "./storage-folder.ts";
import { Upload } from "./upload.ts";

/** Bounds on uploads. */
export interface UploadLimits {
  /** Uploads open at the same time. */
  readonly maxUploads: number;
  /** Milliseconds after which an upload that nobody touches is dropped. */
  readonly uploadTimeout: number;
  /** Largest blob in bytes. */
  readonly maxBlobSize: number;
}

/** Large writes are fast, but many uploads together must stay small. */
const LARGEST_BATCH = 512 * 1024;
const SMALLEST_BATCH = 64 * 1024;
const MEMORY_FOR_BATCHES = 8 * 1024 * 1024;

/** All uploads that are open. They live as long as the process: after a restart clients begin anew. */
export class UploadDesk {
  readonly #folder: StorageFolder;
  readonly #limits: UploadLimits;
  readonly #now: () => Date;
  readonly #uploads = new Map<string, Upload>();

  constructor(folder: StorageFolder, limits: UploadLimits, now: () => Date) {
    this.#folder = folder;
    this.#limits = limits;
    this.#now = now;
  }

  /** How many are open. */
  get count(): number {
    return this.#uploads.size;
  }

  /** @throws {RegistryFault} 429 `TOOMANYREQUESTS` */
  async start(repository: string, algorithm: DigestAlgorithm): Promise<Upload> {
    if (this.#uploads.size >= this.#limits.maxUploads) {
      throw new RegistryFault(429, "TOOMANYREQUESTS", "too many uploads are open", {
        headers: { "retry-after": "5" },
      });
    }
    const id = randomUUID();
    const path = join(this.#folder.uploads, id);
    const upload = new Upload(
      {
        id,
        repository,
        path,
        algorithm,
        limit: this.#limits.maxBlobSize,
        batchSize: () => this.#batchSize(),
      },
      this.#now().getTime(),
    );
    this.#uploads.set(id, upload);
    // An empty blob is a file too, and PUT may be the first request that follows.
    try {
      await (await open(path, "wx", 0o600)).close();
    } catch (error) {
      this.#uploads.delete(id);
      throw error;
    }
    return upload;
  }

  /** @throws {RegistryFault} 404 `BLOB_UPLOAD_UNKNOWN` */
  find(repository: string, id: string): Upload {
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.repository !== repository) {
      throw new RegistryFault(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload, it may have expired");
    }
    upload.lastUsed = this.#now().getTime();
    return upload;
  }

  #batchSize(): number {
    const share = Math.floor(MEMORY_FOR_BATCHES / Math.max(1, this.#uploads.size));
    return Math.max(SMALLEST_BATCH, Math.min(LARGEST_BATCH, share));
  }

  /** Forgets an upload and removes its file. */
  async close(upload: Upload): Promise<void> {
    this.#uploads.delete(upload.id);
    await upload.discard();
  }

  /** Drops uploads that nobody has touched for long. Returns how many. */
  async expire(): Promise<number> {
    const oldest = this.#now().getTime() - this.#limits.uploadTimeout;
    let dropped = 0;
    for (const upload of this.#uploads.values()) {
      // Looked at when its turn comes: while others were dropped, somebody may have gone on with it.
      if (upload.isBusy || upload.lastUsed >= oldest) continue;
      await this.close(upload);
      dropped += 1;
    }
    return dropped;
  }
}
