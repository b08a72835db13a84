// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError } from "../core/error.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { PackageClaims } from "../debian/index.ts";
import type { BlobSink, Digest } from "../oci/index.ts";
import type { Libc } from "./elf.ts";

/** Raised when the members below change their meaning; records of another format are made anew. */
const RECORD_FORMAT = 1;

/** One compressed tar in the store. */
export interface LayerBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  /** Digest of the uncompressed tar. */
  readonly diffID: Digest;
  /** Bytes of the uncompressed tar. */
  readonly uncompressedSize: number;
}

/** A small file of a base that the top layer builds on. */
export interface CapturedFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The bytes, one code unit each (latin1), so that any bytes survive. */
  readonly text: string;
}

/** What is inside a layer, as far as images that use it need to know. */
export interface LayerContent {
  /**
   * What each path that is no directory holds: `file:` and the sha256 of its content, `link:` and a target, or the bare
   * kind (`same` for a hard link) where only that matters, in a base.
   */
  readonly files: Readonly<Record<string, string>>;
  /** For each C library that something here needs: one path that needs it. */
  readonly libcs: Readonly<Partial<Record<Libc, string>>>;
  /** Empty but for a base. */
  readonly captured: Readonly<Record<string, CapturedFile>>;
}

/** What a base image hands down to images made on it. */
export interface InheritedConfig {
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** What is known of a layer that was made: enough to use it again without its content. */
export interface LayerRecord extends LayerContent {
  readonly format: typeof RECORD_FORMAT;
  readonly key: string;
  /** One, or as many as a base image has. */
  readonly blobs: readonly LayerBlob[];
  /** Stanzas of `/var/lib/dpkg/status` for the Debian packages inside; for a base they stand in `captured`. */
  readonly packages: readonly string[];
  /** What those packages add to other files of the package database. Absent: nothing. */
  readonly claims?: readonly PackageClaims[] | undefined;
  /** Absent but for a base image. */
  readonly inherited?: InheritedConfig | undefined;
}

/** Adds what is the same in every record. */
export function createLayerRecord(record: Omit<LayerRecord, "format">): LayerRecord {
  return { format: RECORD_FORMAT, ...record };
}

/** The record of an earlier build. Absent when there is none, or when its blobs are not in the store. */
export async function readLayerRecord(
  cacheDir: string,
  key: string,
  store: BlobSink,
): Promise<LayerRecord | undefined> {
  const record = parseRecord(await readIfThere(recordPath(cacheDir, key)));
  if (record?.key !== key) return undefined;
  for (const blob of record.blobs) {
    if (!(await store.hasBlob(blob))) return undefined;
  }
  return record;
}

/**
 * Keeps `record` for the next build.
 *
 * @throws {ToolingError} `DISK_FULL`, `FILE_UNWRITABLE`
 */
export async function writeLayerRecord(cacheDir: string, record: LayerRecord): Promise<void> {
  await writeFileAtomically(recordPath(cacheDir, record.key), formatCanonicalJson(record));
}

function recordPath(cacheDir: string, key: string): string {
  return join(cacheDir, "layers", `${key.slice(key.indexOf(":") + 1)}.json`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** A record that is damaged, or of another format, only costs making the layer once more. */
function parseRecord(text: string | undefined): LayerRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as Partial<LayerRecord> | null;
    return record?.format === RECORD_FORMAT && Array.isArray(record.blobs)
      ? (record as LayerRecord)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
