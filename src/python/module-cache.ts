// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeWriteFailure } from "../core/atomic-file.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import { isSystemError } from "../core/error.ts";
import { makeFolder } from "../core/make-folder.ts";
import { PYTHON_COMPILER } from "./compiler.ts";

/** Bytes of the sha256 that stands before the content. */
const DIGEST_SIZE = 32;

/** Names the compiled form of a module by all that it is made from. */
export async function moduleKey(path: string, source: LentBytes): Promise<string> {
  const hash = createHash("sha256").update(`${PYTHON_COMPILER}\0${path}\0`);
  for await (const chunk of source) hash.update(chunk);
  return hash.digest("hex");
}

/** What an earlier build compiled. Empty: it cannot be compiled. Absent: not there, or damaged. */
export async function readCompiled(folder: string, key: string): Promise<Uint8Array | undefined> {
  try {
    const file = await readFile(filePath(folder, key));
    const content = file.subarray(DIGEST_SIZE);
    return digest(content).equals(file.subarray(0, DIGEST_SIZE)) ? content : undefined;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/**
 * Keeps what was compiled. A crash may leave less than that, which the digest shows; nothing waits for the disk.
 *
 * @throws {ToolingError} `DISK_FULL`, `FILE_UNWRITABLE`
 */
export async function writeCompiled(folder: string, key: string, content: Uint8Array): Promise<void> {
  const path = filePath(folder, key);
  const temporary = `${path}.${randomUUID()}`;
  try {
    await makeFolder(dirname(path));
    await writeFile(temporary, Buffer.concat([digest(content), content]));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw describeWriteFailure(error, path);
  }
}

function digest(content: Uint8Array): Buffer {
  return createHash("sha256").update(content).digest();
}

function filePath(folder: string, key: string): string {
  return join(folder, key.slice(0, 2), key.slice(2));
}
