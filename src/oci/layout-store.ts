// SPDX-License-Identifier: Apache-2.0
import { stat } from "node:fs/promises";
import { type LentBytes, streamOf } from "../core/byte-stream.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { describeReadFailure, readPatiently } from "../core/file-limit.ts";
import type { OperationOptions } from "../core/operation.ts";
import { blobPathIn, leaseBlobFile, openBlobFile, writeBlobFile } from "./blob-file.ts";
import type { ContentSink, ContentSource, PutManifestOptions } from "./content-store.ts";
import type { Descriptor } from "./descriptor.ts";
import { type Digest, isDigest } from "./digest.ts";
import { prepareLayoutFolder } from "./layout-folder.ts";
import { readLayoutIndex, REF_NAME, updateLayoutIndex } from "./layout-index.ts";
import { imageNotFound } from "./not-found.ts";
import { MANIFEST_LIMIT, parseManifest } from "./parse-manifest.ts";
import {
  type RemovalReport,
  removeUnreferenced,
  type RemoveUnreferencedOptions,
} from "./remove-unreferenced.ts";
import { type ExpectedContent, verifyBytes } from "./verify-stream.ts";
import { type StoreReport, verifyLayout, type VerifyLayoutOptions } from "./verify-layout.ts";

/** Optional parts of {@link openLayoutStore}. */
export interface OpenLayoutStoreOptions {
  /** The clock. Absent: the machine's. */
  readonly now?: (() => Date) | undefined;
  /** Whether a missing layout is made. Absent: true. */
  readonly create?: boolean | undefined;
}

/**
 * Opens a folder as a store. Several processes may have the same folder open, and write to it, at once.
 *
 * @throws {ToolingError} `STORE_UNSUPPORTED` (written by a newer version), `STORE_CORRUPT`, `POLICY_REFUSED` (anybody
 * may write to it), `FILE_NOT_FOUND` (when `create` is false), `DISK_FULL`, `FILE_UNWRITABLE`
 */
export async function openLayoutStore(
  folder: string,
  { now = () => new Date(), create = true }: OpenLayoutStoreOptions = {},
): Promise<LayoutStore> {
  await prepareLayoutFolder(folder, { create });
  return new LayoutStore(folder, now);
}

/**
 * Blobs and images in an OCI image layout (image-spec v1.1.1, image-layout.md) on a local disk.
 * Its tags are whole references, as in `docker.io/best-tools/tooling-k8s:1.4`.
 */
export class LayoutStore implements ContentSource, ContentSink {
  /** Where it stands. */
  readonly folder: string;
  readonly #now: () => Date;

  constructor(folder: string, now: () => Date) {
    this.folder = folder;
    this.#now = now;
  }

  /** Path of the file that holds a blob, whether it is there or not. Read only. */
  blobPath(digest: Digest): string {
    return blobPathIn(this.folder, digest);
  }

  async *openBlob(
    descriptor: ExpectedContent,
    { signal }: OperationOptions = {},
  ): AsyncGenerator<Uint8Array> {
    signal?.throwIfAborted();
    const file = await openBlobFile(this.folder, descriptor);
    const stream = file.createReadStream({ highWaterMark: 256 * 1024, signal });
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
    } catch (error) {
      throw describeReadFailure(error, this.blobPath(descriptor.digest));
    }
  }

  async hasBlob(descriptor: ExpectedContent): Promise<boolean> {
    return await leaseBlobFile(this.folder, descriptor, this.#now());
  }

  async putBlob(
    descriptor: ExpectedContent,
    content: LentBytes,
    { signal }: OperationOptions = {},
  ): Promise<void> {
    await writeBlobFile(this.folder, content, { expected: descriptor, signal });
  }

  /** Stores content whose digest is not known before; gives its sha256 and size. */
  async ingestBlob(content: LentBytes, { signal }: OperationOptions = {}): Promise<ExpectedContent> {
    return await writeBlobFile(this.folder, content, { signal });
  }

  async resolveManifest(tagOrDigest: string): Promise<Descriptor> {
    const { manifests } = await readLayoutIndex(this.folder);
    const tagged = manifests.find(({ annotations }) => annotations?.[REF_NAME] === tagOrDigest);
    if (tagged !== undefined) return tagged;
    if (!isDigest(tagOrDigest)) throw imageNotFound(tagOrDigest);
    return (
      manifests.find(({ digest }) => digest === tagOrDigest) ?? (await this.#describeManifest(tagOrDigest))
    );
  }

  async fetchManifest(descriptor: ExpectedContent): Promise<Uint8Array> {
    const path = this.blobPath(descriptor.digest);
    const bytes = await readManifestFile(path, descriptor.digest);
    try {
      verifyBytes(bytes, descriptor);
    } catch (error) {
      throw new ToolingError("STORE_CORRUPT", `"${path}" is damaged`, {
        hint: "Remove that file and run the command again.",
        cause: error,
      });
    }
    return bytes;
  }

  async hasManifest(descriptor: ExpectedContent): Promise<boolean> {
    return await this.hasBlob(descriptor);
  }

  async putManifest(
    descriptor: Descriptor,
    bytes: Uint8Array,
    { tag, signal }: PutManifestOptions = {},
  ): Promise<void> {
    verifyBytes(bytes, descriptor);
    if (!(await this.hasBlob(descriptor))) await this.putBlob(descriptor, streamOf(bytes), { signal });
    if (tag !== undefined) await this.tag(tag, descriptor, { signal });
  }

  /**
   * Lets `name` stand for a manifest from now on, and no other.
   *
   * @throws {ToolingError} `REFERENCE_INVALID`, `IMAGE_NOT_FOUND`
   */
  async tag(name: string, descriptor: Descriptor, { signal }: OperationOptions = {}): Promise<void> {
    if (!IMAGE_NAME.test(name)) {
      throw new ToolingError("REFERENCE_INVALID", `"${name}" cannot name an image in a store`, {
        hint: 'Use letters, digits and "-._:@/+".',
      });
    }
    const named = { ...descriptor, annotations: { ...descriptor.annotations, [REF_NAME]: name } };
    await this.#addToIndex(named, ({ annotations }) => annotations?.[REF_NAME] === name, signal);
  }

  /**
   * Lists a manifest in the index without a name, so that a clean-up keeps it.
   *
   * @throws {ToolingError} `IMAGE_NOT_FOUND`
   */
  async addRoot(descriptor: Descriptor, { signal }: OperationOptions = {}): Promise<void> {
    await this.#addToIndex(descriptor, (other) => isSameRoot(other, descriptor), signal);
  }

  /** Takes a name away; the content stays until the next clean-up. Gives whether the name was there. */
  async untag(name: string, { signal }: OperationOptions = {}): Promise<boolean> {
    let wasThere = false;
    await updateLayoutIndex(this.folder, { signal }, (manifests) => {
      const kept = manifests.filter(({ annotations }) => annotations?.[REF_NAME] !== name);
      wasThere = kept.length < manifests.length;
      return kept;
    });
    return wasThere;
  }

  /** Names and what they stand for, in code-unit order. */
  async listTags(): Promise<readonly { readonly name: string; readonly descriptor: Descriptor }[]> {
    const roots = await this.listRoots();
    return roots
      .flatMap((descriptor) => {
        const name = descriptor.annotations?.[REF_NAME];
        return name === undefined ? [] : [{ name, descriptor }];
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** All that index.json lists, named or not. */
  async listRoots(): Promise<readonly Descriptor[]> {
    return (await readLayoutIndex(this.folder)).manifests;
  }

  /** Removes what no image needs and nobody has written or asked for within the grace period. */
  async removeUnreferenced(options: RemoveUnreferencedOptions = {}): Promise<RemovalReport> {
    return await removeUnreferenced(this.folder, this.#now(), options);
  }

  /** Looks for missing, damaged and stray files. */
  async verify(options: VerifyLayoutOptions = {}): Promise<StoreReport> {
    return await verifyLayout(this.folder, options);
  }

  async #addToIndex(
    descriptor: Descriptor,
    replaces: (other: Descriptor) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await updateLayoutIndex(this.folder, { signal }, async (manifests) => {
      // Looked at under the lock, so that no clean-up comes between.
      if (!(await this.hasManifest(descriptor))) throw imageNotFound(descriptor.digest);
      return [...manifests.filter((other) => !replaces(other)), descriptor];
    });
  }

  /** For a manifest that index.json does not list: its type is what the document says. */
  async #describeManifest(digest: Digest): Promise<Descriptor> {
    const bytes = await readManifestFile(this.blobPath(digest), digest);
    const { mediaType } = parseManifest(bytes);
    const descriptor = { mediaType, digest, size: bytes.byteLength };
    await this.fetchManifest(descriptor);
    return descriptor;
  }
}

/** What the annotation may hold (image-spec v1.1.1, annotations.md), without its rules on separators. */
const IMAGE_NAME = /^[A-Za-z0-9][-A-Za-z0-9._:@/+]{0,511}$/;

function isSameRoot(a: Descriptor, b: Descriptor): boolean {
  return a.digest === b.digest && a.annotations?.[REF_NAME] === b.annotations?.[REF_NAME];
}

async function readManifestFile(path: string, digest: Digest): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= MANIFEST_LIMIT) return await readPatiently(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) throw imageNotFound(digest);
    throw describeReadFailure(error, path);
  }
  throw imageNotFound(digest);
}
