// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeWriteFailure } from "../core/atomic-file.ts";
import { collectBytes, type LendingGenerator, type LentBytes } from "../core/byte-stream.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { readFileContent } from "../core/file-content.ts";
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

/**
 * Bytes of what an earlier build compiled; zero says that it cannot be compiled. Absent: not there, or damaged.
 */
export async function findCompiled(folder: string, key: string): Promise<number | undefined> {
  try {
    let size = 0;
    for await (const chunk of openCompiled(folder, key)) size += chunk.byteLength;
    return size;
  } catch (error) {
    const isDamaged = error instanceof ToolingError && error.code === "DIGEST_MISMATCH";
    if (isDamaged || isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/**
 * What an earlier build compiled, in buffers that are filled again: there are thousands of modules.
 *
 * @throws {ToolingError} `DIGEST_MISMATCH` at the end of what is damaged
 */
export async function* openCompiled(folder: string, key: string): LendingGenerator {
  const path = filePath(folder, key);
  const expected = await collectBytes(readFileContent(path, { length: DIGEST_SIZE }));
  const hash = createHash("sha256");
  for await (const chunk of readFileContent(path, { start: DIGEST_SIZE })) {
    hash.update(chunk);
    yield chunk;
  }
  if (!hash.digest().equals(expected)) {
    throw new ToolingError("DIGEST_MISMATCH", `the compiled module "${key}" changed below "${folder}"`, {
      hint: "Build again: it is then made anew.",
    });
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
