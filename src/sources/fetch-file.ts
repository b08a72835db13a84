// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../core/operation.ts";

/** What to download and how to know that it is right. */
export interface FileRequest {
  /** Absolute `http:` or `https:` address. Never part of an error or of progress beyond host and path. */
  readonly url: string;
  /**
   * Finds the address once the file has to be downloaded, where that costs a request of its own; `url` is then only a
   * name. Absent: `url` is the address.
   */
  readonly locate?: (() => Promise<string>) | undefined;
  /** What people call it, such as `helm-v4.1.0-linux-amd64.tar.gz`. */
  readonly name: string;
  /** Expected digest, 64 hex digits. Absent: the file is only trusted as far as the caller checks it. */
  readonly sha256?: string | undefined;
  /** Expected sha512 as Subresource Integrity, `sha512-...`. The file is found again by it, as by `sha256`. */
  readonly integrity?: string | undefined;
  /** Expected bytes. Absent: unknown. */
  readonly size?: number | undefined;
  /** Most bytes accepted when `size` is absent. Absent: 2 GiB. */
  readonly maxSize?: number | undefined;
  /**
   * Key under which a file without `sha256` may be found again. Absent: it is downloaded each time. With
   * `sha256` the digest is the key and this is not looked at.
   */
  readonly cacheKey?: string | undefined;
  /** The `Authorization` header for an address; it is only sent to the address's own origin. Absent: none. */
  readonly authorize?: ((address: string) => string | undefined) | undefined;
  /** A web page is what is wanted. Absent: HTML where a file was expected is an error. */
  readonly acceptHtml?: boolean | undefined;
  /** The `Accept` header (RFC 9110, section 12.5.1). Absent: none is sent. */
  readonly accept?: string | undefined;
}

/** A file that is complete and verified. */
export interface FetchedFile {
  /** Absolute path in the cache; read-only. */
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  /** It was there already. */
  readonly cached: boolean;
}

/**
 * Downloads one file into the content-addressed cache, or finds it there.
 *
 * @throws {ToolingError} `CHECKSUM_MISMATCH`, `SIZE_MISMATCH`, `DOWNLOAD_TRUNCATED`, `DOWNLOAD_FAILED`,
 * `NETWORK_UNREACHABLE`, `FILE_NOT_FOUND` (404 and 410), `DISK_FULL`
 */
export type FetchFile = (request: FileRequest, options?: OperationOptions) => Promise<FetchedFile>;
