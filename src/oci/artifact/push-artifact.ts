// SPDX-License-Identifier: Apache-2.0
import { stat } from "node:fs/promises";
import { type ByteStream, streamOf } from "../../core/byte-stream.ts";
import { isSystemError, ToolingError } from "../../core/error.ts";
import { openPatiently } from "../../core/file-limit.ts";
import type { OperationOptions } from "../../core/operation.ts";
import type { ContentSink } from "../content-store.ts";
import { type Descriptor, EMPTY_BYTES, EMPTY_DESCRIPTOR } from "../descriptor.ts";
import { createDigester } from "../digest.ts";
import { verifyStream } from "../verify-stream.ts";
import {
  type ArtifactFile,
  packArtifact,
  type PackArtifactOptions,
  type PackedArtifact,
} from "./artifact-manifest.ts";

/** A file on disk that becomes part of an artifact. */
export interface LocalFile {
  readonly path: string;
  readonly title: string;
  readonly mediaType: string;
}

/** What {@link pushArtifact} pushes: data, and where the content is. */
export interface ArtifactPlan extends PackedArtifact {
  readonly files: readonly (ArtifactFile & LocalFile)[];
}

/**
 * Reads files and packs the manifest of an artifact. Sends nothing.
 *
 * @throws {ToolingError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `MANIFEST_INVALID`, `PATH_CONFLICT`
 */
export async function planArtifact(
  artifactType: string,
  files: readonly LocalFile[],
  { signal, ...options }: PackArtifactOptions & Pick<OperationOptions, "signal"> = {},
): Promise<ArtifactPlan> {
  const measured: (ArtifactFile & LocalFile)[] = [];
  for (const file of files) measured.push({ ...file, ...(await measureFile(file.path, signal)) });
  return { ...packArtifact(artifactType, measured, options), files: measured };
}

/** Optional parts of {@link pushArtifact}. */
export interface PushArtifactOptions extends OperationOptions {
  /** Absent: it is known by its digest only. */
  readonly tag?: string | undefined;
}

/**
 * Sends an artifact: files that the target does not have, then the manifest.
 *
 * @throws {ToolingError} `DIGEST_MISMATCH`, `SIZE_MISMATCH` when a file changed meanwhile, and what the sink throws
 */
export async function pushArtifact(
  { descriptor, bytes, blobs, files }: ArtifactPlan,
  to: ContentSink,
  { tag, signal, onProgress }: PushArtifactOptions = {},
): Promise<Descriptor> {
  for (const blob of blobs) {
    const file = files.find(({ digest }) => digest === blob.digest);
    const what = file?.title ?? blob.digest;
    const isThere = await to.hasBlob(blob, { signal });
    if (!isThere) {
      onProgress?.({ type: "started", what, total: blob.size });
      await to.putBlob(blob, openContent(blob, file, signal), { signal });
    }
    if (blob.digest !== EMPTY_DESCRIPTOR.digest) onProgress?.({ type: "finished", what, skipped: isThere });
  }
  await to.putManifest(descriptor, bytes, { tag, signal });
  return descriptor;
}

/** Can be read again from the start: a registry that forgets a long upload does not end the push. */
function openContent(
  blob: Descriptor,
  file: LocalFile | undefined,
  signal: AbortSignal | undefined,
): ByteStream {
  const open = (): ByteStream =>
    file === undefined ? streamOf(EMPTY_BYTES) : readLocalFile(file.path, signal);
  return { [Symbol.asyncIterator]: () => verifyStream(open(), blob, { signal })[Symbol.asyncIterator]() };
}

async function measureFile(
  path: string,
  signal: AbortSignal | undefined,
): Promise<Pick<Descriptor, "digest" | "size">> {
  const digester = createDigester();
  let size = 0;
  for await (const chunk of readLocalFile(path, signal)) {
    digester.update(chunk);
    size += chunk.byteLength;
  }
  return { digest: digester.digest(), size };
}

async function* readLocalFile(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    if (!(await stat(path)).isFile()) {
      throw new ToolingError("FILE_UNREADABLE", `"${path}" is not a file`, {
        hint: "Pack a folder into an archive first, and push that.",
      });
    }
    const opened = await openPatiently(path, "r");
    const stream: ByteStream = opened.createReadStream({ highWaterMark: 256 * 1024, signal });
    yield* stream;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) {
      throw new ToolingError("FILE_NOT_FOUND", `file "${path}" is not there`, {
        hint: "Check the path. A type is written after the last colon: sbom.json:application/spdx+json.",
        cause: error,
      });
    }
    if (!isSystemError(error, "EACCES", "EPERM", "EIO", "ELOOP")) throw error;
    throw new ToolingError("FILE_UNREADABLE", `file "${path}" cannot be read (${error.code})`, {
      hint: "Check its permissions.",
      cause: error,
    });
  }
}
