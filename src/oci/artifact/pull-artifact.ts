// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { lstat, mkdir, mkdtemp, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { decompress, extractTar } from "../../archive/index.ts";
import { describeWriteFailure, syncFolder } from "../../core/atomic-file.ts";
import { isSystemError, ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import type { ContentSource } from "../content-store.ts";
import type { Descriptor } from "../descriptor.ts";
import type { Digest } from "../digest.ts";
import type { ImageManifest } from "../image-manifest.ts";
import { parseManifest } from "../parse-manifest.ts";
import { verifyBytes, verifyStream } from "../verify-stream.ts";
import { listTitledLayers, type TitledLayer } from "./artifact-manifest.ts";

/** A file (or folder, where oras packed one) that was pulled. */
export interface PulledFile {
  /** Relative to the folder, parted by `/`. */
  readonly title: string;
  readonly path: string;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** What {@link pullArtifact} has done. */
export interface PulledArtifact {
  readonly artifactType?: string;
  readonly files: readonly PulledFile[];
  /** Layers without a title, which have no name on disk. */
  readonly untitled: readonly Descriptor[];
}

/** How oras says that a layer is a packed folder. */
const UNPACK = "io.deis.oras.content.unpack";

/**
 * Writes the files of an artifact below a folder. All are verified before the first is visible, none leaves the folder,
 * files of the same names are replaced.
 *
 * @throws {ToolingError} `ARCHIVE_UNSAFE` for names that lead elsewhere, `PATH_CONFLICT` where a folder or a link is in
 * the way, `MANIFEST_INVALID`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DISK_FULL`, `FILE_UNWRITABLE`
 */
export async function pullArtifact(
  from: ContentSource,
  descriptor: Descriptor,
  folder: string,
  options: OperationOptions = {},
): Promise<PulledArtifact> {
  const manifest = await readArtifact(from, descriptor, options);
  const titled = listTitledLayers(manifest);
  const staging = await makeStaging(folder);
  try {
    const staged: string[] = [];
    for (const [index, each] of titled.entries()) {
      staged.push(await stageLayer(from, each, join(staging, String(index)), options));
    }
    for (const each of titled) await checkPlace(folder, each);
    for (const [index, { title }] of titled.entries()) await place(staged[index] ?? "", folder, title);
  } catch (error) {
    throw describeWriteFailure(error, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  const { artifactType } = manifest;
  return {
    ...(artifactType !== undefined && { artifactType }),
    files: titled.map(({ title, layer: { mediaType, digest, size } }) => {
      return { title, path: join(folder, title), mediaType, digest, size };
    }),
    untitled: manifest.layers.filter((layer) => titled.every((each) => each.layer !== layer)),
  };
}

async function readArtifact(
  from: ContentSource,
  descriptor: Descriptor,
  { signal }: OperationOptions,
): Promise<ImageManifest> {
  const bytes = await from.fetchManifest(descriptor, { signal });
  verifyBytes(bytes, descriptor);
  const parsed = parseManifest(bytes, descriptor.mediaType);
  if (parsed.kind === "manifest") return parsed.manifest;
  throw new ToolingError("MANIFEST_INVALID", `"${descriptor.digest}" is an index and not an artifact`, {
    hint: "Name one of the manifests in it by its digest.",
  });
}

/** Beside the target, so that files can be renamed into place. */
async function makeStaging(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await mkdtemp(join(folder, ".toolbox-pull-"));
  } catch (error) {
    throw describeWriteFailure(error, folder);
  }
}

/** Gives the path of the verified file or unpacked folder. */
async function stageLayer(
  from: ContentSource,
  { title, layer }: TitledLayer,
  path: string,
  { signal, onProgress }: OperationOptions,
): Promise<string> {
  onProgress?.({ type: "started", what: title, total: layer.size });
  const file = await open(path, "wx", 0o644);
  let done = 0;
  try {
    for await (const chunk of verifyStream(from.openBlob(layer, { signal }), layer, { signal })) {
      await file.writeFile(chunk);
      done += chunk.byteLength;
      onProgress?.({ type: "advanced", what: title, done });
    }
    await file.sync();
  } finally {
    await file.close();
  }
  onProgress?.({ type: "finished", what: title, skipped: false });
  if (layer.annotations?.[UNPACK] !== "true") return path;
  const unpacked = `${path}-folder`;
  await extractTar(decompress(createReadStream(path)), unpacked, { signal });
  return join(unpacked, title);
}

async function checkPlace(folder: string, { title, layer }: TitledLayer): Promise<void> {
  const parts = title.split("/");
  for (let length = 1; length <= parts.length; length += 1) {
    const path = join(folder, ...parts.slice(0, length));
    const status = await lstat(path).catch((error: unknown) => {
      if (isSystemError(error, "ENOENT")) return undefined;
      throw error;
    });
    if (status === undefined) return;
    const isLast = length === parts.length;
    const isWelcome = isLast
      ? status.isFile() && layer.annotations?.[UNPACK] !== "true"
      : status.isDirectory();
    if (isWelcome) continue;
    throw new ToolingError("PATH_CONFLICT", `"${path}" is in the way of the file "${title}"`, {
      hint: "Move it away, or pull into another folder with -o DIR.",
    });
  }
}

async function place(staged: string, folder: string, title: string): Promise<void> {
  const parts = title.split("/");
  const parent = join(folder, ...parts.slice(0, -1));
  await mkdir(parent, { recursive: true });
  await rename(staged, join(parent, parts.at(-1) ?? ""));
  await syncFolder(parent);
}
