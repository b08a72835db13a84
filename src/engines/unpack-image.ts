// SPDX-License-Identifier: Apache-2.0
import { chmod, lstat, mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { decompress, extractTar } from "../archive/index.ts";
import { syncFolder, writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { withFileLock } from "../core/file-lock.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { OperationOptions } from "../core/operation.ts";
import { encodedOf, verifyStream } from "../oci/index.ts";
import { HOME_FOLDER, type SessionImage, WORK_FOLDER } from "../session/index.ts";
import type { EngineHost, ImageSupply } from "./engine.ts";
import { findPlatformImage, type PlatformImage, readImageConfig } from "./platform-image.ts";
import { readUnpackedImage, resetsSignals } from "./unpacked-image.ts";

/** Everything a runner mounts on must be a real folder, whatever the image says. */
const SYSTEM_FOLDERS: readonly (readonly [path: string, mode: number])[] = [
  ["dev", 0o755],
  ["etc", 0o755],
  ["home", 0o755],
  [HOME_FOLDER.slice(1), 0o755],
  ["proc", 0o755],
  ["run", 0o755],
  ["sys", 0o755],
  ["tmp", 0o1777],
  ["usr", 0o755],
  ["var", 0o755],
  ["var/tmp", 0o1777],
  [WORK_FOLDER.slice(1), 0o755],
];

/** Milliseconds that one process waits for another that unpacks the same image. */
const UNPACK_TIMEOUT = 600_000;

/**
 * Unpacks an image once, by the digest of its manifest. Nothing is visible before all of it is on disk.
 *
 * @returns The image's folder, for {@link readUnpackedImage}.
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `DIGEST_MISMATCH`, `ARCHIVE_UNSAFE`, `DISK_FULL`, `STORE_BUSY`
 */
export async function unpackImage(
  { image, supply }: { readonly image: SessionImage; readonly supply: ImageSupply },
  host: EngineHost,
  options: OperationOptions = {},
): Promise<string> {
  const found = await findPlatformImage(image, supply, options);
  const folder = join(host.dataDir, "rootfs", encodedOf(found.descriptor.digest));
  if (await isThere(folder)) return folder;
  const lock = { timeout: UNPACK_TIMEOUT, signal: options.signal };
  return withFileLock(`${folder}.lock`, lock, async () => {
    if (!(await isThere(folder))) await unpackInto(folder, found, { ...options, host });
    return folder;
  });
}

async function unpackInto(
  folder: string,
  image: PlatformImage,
  options: OperationOptions & { readonly host: EngineHost },
): Promise<void> {
  const config = await readImageConfig(image, options);
  // Under the lock nobody else uses this name: what is there is a crash's.
  const temporary = `${folder}.tmp`;
  await removeTree(temporary);
  const root = join(temporary, "root");
  try {
    await mkdir(root, { recursive: true, mode: 0o755 });
    await extractLayers(image, root, options);
    await makeSystemFolders(root);
    const about = {
      env: config.config?.Env ?? [],
      resetsSignals: await resetsSignals(join(root, "usr/bin/env")),
      dropsCapabilities: await isFile(join(root, "usr/bin/setpriv")),
    };
    await writeFileAtomically(join(temporary, "image.json"), formatCanonicalJson(about, { indent: 2 }));
    await rename(temporary, folder);
    await syncFolder(join(folder, ".."));
  } catch (error) {
    await removeTree(temporary);
    throw error;
  }
}

async function extractLayers(
  { source, manifest }: PlatformImage,
  root: string,
  { host, signal, onProgress }: OperationOptions & { readonly host: EngineHost },
): Promise<void> {
  for (const [index, layer] of manifest.layers.entries()) {
    const what = `unpack layer ${index + 1} of ${manifest.layers.length}`;
    onProgress?.({ type: "started", what, total: layer.size });
    const content = decompress(verifyStream(source.openBlob(layer, { signal }), layer, { signal }));
    await extractTar(content, root, { layer: true, owner: host.uid === 0 ? "keep" : "caller", signal });
    onProgress?.({ type: "finished", what, skipped: false });
  }
}

async function makeSystemFolders(root: string): Promise<void> {
  for (const [path, mode] of SYSTEM_FOLDERS) {
    const full = join(root, path);
    try {
      if (!(await lstat(full)).isDirectory()) throw notAFolder(path);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
      await mkdir(full);
      await chmod(full, mode);
    }
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

async function isThere(folder: string): Promise<boolean> {
  return (await readUnpackedImage(folder)) !== undefined;
}

/** Folders of an image may be read-only, which rm(1) minds as little as we do. */
async function removeTree(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 2 });
}

function notAFolder(path: string): ToolingError {
  return new ToolingError(
    "ARCHIVE_UNSAFE",
    `"/${path}" of the image is not a folder, so nothing can be mounted there`,
    {
      hint: "Run this image with docker or podman, or tell its publisher.",
    },
  );
}
