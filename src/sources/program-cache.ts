// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from "node:crypto";
import { chmod, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../core/make-folder.ts";
import { describeWriteFailure, writeFileAtomically } from "../core/atomic-file.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import { isSystemError } from "../core/error.ts";
import { writeFileContent } from "../core/file-content.ts";
import { formatCanonicalJson } from "../core/json.ts";
import { digestOfFile } from "./file-digest.ts";

/** A program in the cache, its bytes checked. */
export interface CachedProgram {
  /** Absolute path; read-only. */
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

/** The record beside a program says what its bytes were when it came in. */
const RECORD = "program.json";
const PROGRAM = "program";

/** Folder of a program below `folder`, by everything that its bytes depend on. */
export function programFolder(folder: string, key: unknown): string {
  return join(folder, createHash("sha256").update(formatCanonicalJson(key)).digest("hex"));
}

/** The program in a folder, if its bytes still are what they were. */
export async function readProgram(folder: string): Promise<CachedProgram | undefined> {
  try {
    const record = JSON.parse(await readFile(join(folder, RECORD), "utf8")) as {
      sha256: string;
      size: number;
    };
    const path = join(folder, PROGRAM);
    if ((await digestOfFile(path)) === record.sha256) return { path, ...record };
  } catch (error) {
    if (!isSystemError(error, "ENOENT") && !(error instanceof SyntaxError)) throw error;
  }
  return undefined;
}

/** Moves a finished file of the same file system into a folder. */
export async function publishProgram(file: string, folder: string): Promise<CachedProgram> {
  const sha256 = await digestOfFile(file);
  const { size } = await stat(file);
  await chmod(file, 0o555);
  await makeFolder(folder);
  const path = join(folder, PROGRAM);
  await rename(file, path);
  await writeFileAtomically(join(folder, RECORD), formatCanonicalJson({ sha256, size }));
  return { path, sha256, size };
}

/**
 * Writes content into a folder.
 *
 * @throws {ToolingError} `DISK_FULL`, `FILE_UNWRITABLE`, and what the content throws
 */
export async function storeProgram(
  content: LentBytes,
  folder: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<CachedProgram> {
  const temporary = join(folder, `.new-${randomUUID()}`);
  try {
    await makeFolder(folder);
    await writeFileContent(temporary, content, { signal });
    return await publishProgram(temporary, folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw describeWriteFailure(error, folder);
  }
}
