// SPDX-License-Identifier: Apache-2.0
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../core/error.ts";
import { describeReadFailure, whenFilesAreFree } from "../core/file-limit.ts";
import { type Digest, isDigest } from "./digest.ts";

/** A file below `blobs/`. */
export interface BlobFile {
  readonly path: string;
  /** What its name says. Absent: it is no blob and should not be there. */
  readonly digest?: Digest;
}

/** Every file below `blobs/`, in code-unit order. */
export async function listBlobFiles(folder: string): Promise<readonly BlobFile[]> {
  const files: BlobFile[] = [];
  for (const algorithm of await listFolder(join(folder, "blobs"))) {
    const inside = join(folder, "blobs", algorithm);
    for (const name of await listFolder(inside)) {
      const digest = `${algorithm}:${name}`;
      files.push({ path: join(inside, name), ...(isDigest(digest) && { digest }) });
    }
  }
  return files;
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return (await whenFilesAreFree(path, async () => readdir(path))).sort();
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    if (isSystemError(error, "ENOTDIR")) return [""];
    throw describeReadFailure(error, path);
  }
}
