// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../core/byte-stream.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Descriptor } from "./descriptor.ts";

/** Gives blobs out. */
export interface BlobSource {
  /**
   * Opens a blob from its start. Sources need not check what they yield: wrap it in `verifyStream`.
   *
   * @throws {ToolingError} `BLOB_NOT_FOUND`, while the stream is read
   */
  openBlob(descriptor: Descriptor, options?: OperationOptions): ByteStream;
}

/** Takes blobs in. */
export interface BlobSink {
  hasBlob(descriptor: Descriptor, options?: OperationOptions): Promise<boolean>;
  /** Nothing is visible until all bytes have arrived and digest and size are right. */
  putBlob(descriptor: Descriptor, content: ByteStream, options?: OperationOptions): Promise<void>;
}

/** Gives manifests and indexes out. */
export interface ManifestSource {
  /**
   * What a tag or digest stands for now.
   *
   * @throws {ToolingError} `IMAGE_NOT_FOUND`
   */
  resolveManifest(tagOrDigest: string, options?: OperationOptions): Promise<Descriptor>;
  /**
   * The document, already checked against digest and size.
   *
   * @throws {ToolingError} `IMAGE_NOT_FOUND`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`
   */
  fetchManifest(descriptor: Descriptor, options?: OperationOptions): Promise<Uint8Array>;
}

/** Optional parts of {@link ManifestSink.putManifest}. */
export interface PutManifestOptions extends OperationOptions {
  /** Name to give it. Absent: it is stored under its digest only. */
  readonly tag?: string | undefined;
}

/** Takes manifests and indexes in, as bytes. */
export interface ManifestSink {
  hasManifest(descriptor: Descriptor, options?: OperationOptions): Promise<boolean>;
  putManifest(descriptor: Descriptor, bytes: Uint8Array, options?: PutManifestOptions): Promise<void>;
}

/** What can be copied from. */
export type ContentSource = BlobSource & ManifestSource;

/** What can be copied to. */
export type ContentSink = BlobSink & ManifestSink;
