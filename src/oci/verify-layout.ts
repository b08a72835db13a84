// SPDX-License-Identifier: Apache-2.0
import { lstat } from "node:fs/promises";
import { isSystemError, ToolingError } from "../core/error.ts";
import { describeReadFailure, openPatiently } from "../core/file-limit.ts";
import type { OperationOptions } from "../core/operation.ts";
import { listBlobFiles } from "./blob-folder.ts";
import { blobPathIn } from "./blob-file.ts";
import type { Descriptor } from "./descriptor.ts";
import { algorithmOf, createDigester, type Digest } from "./digest.ts";
import { readLayoutIndex } from "./layout-index.ts";
import { markContent } from "./marked-content.ts";

/** Optional parts of {@link verifyLayout}. */
export interface VerifyLayoutOptions extends OperationOptions {
  /** Whether to read and hash every blob. Absent: only presence and sizes are looked at. */
  readonly deep?: boolean;
}

/** One thing that is wrong with a store. */
export interface StoreProblem {
  readonly kind: "missing" | "wrong-size" | "altered" | "stray" | "unreadable";
  readonly path: string;
  /** The blob that is concerned. Absent for stray files. */
  readonly digest?: Digest;
}

/** What a look over a store has found. It is sound when there are no problems. */
export interface StoreReport {
  readonly problems: readonly StoreProblem[];
  /** Blobs that were looked at. */
  readonly checked: number;
}

/**
 * Checks that all that the images of a layout need is there, and with `deep` that each blob is what its name says.
 * Changes nothing.
 *
 * @throws {ToolingError} `STORE_CORRUPT` when index.json makes no sense, `FILE_LIMIT_EXCEEDED`, `FILE_UNREADABLE`
 */
export async function verifyLayout(
  folder: string,
  { deep = false, signal, onProgress }: VerifyLayoutOptions = {},
): Promise<StoreReport> {
  const problems = new Map<string, StoreProblem>();
  const report = (problem: StoreProblem): void => {
    if (!problems.has(problem.path)) problems.set(problem.path, problem);
  };
  const files = await listBlobFiles(folder);
  for (const { digest, path } of files) {
    signal?.throwIfAborted();
    const problem = digest === undefined ? "stray" : await checkFile(path, digest, { deep, signal });
    if (problem !== undefined) report({ kind: problem, path, ...(digest !== undefined && { digest }) });
    onProgress?.({ type: "finished", what: digest ?? path, skipped: false });
  }
  for (const problem of await checkReferences(folder)) report(problem);
  return { problems: [...problems.values()], checked: files.length };
}

async function checkFile(
  path: string,
  digest: Digest,
  { deep, signal }: { deep: boolean; signal: AbortSignal | undefined },
): Promise<StoreProblem["kind"] | undefined> {
  if (!(await lstat(path)).isFile()) return "stray";
  if (!deep) return undefined;
  const digester = createDigester(algorithmOf(digest));
  try {
    const file = await openPatiently(path, "r");
    const content = file.createReadStream({ highWaterMark: 1024 * 1024, signal });
    for await (const chunk of content as AsyncIterable<Buffer>) digester.update(chunk);
  } catch (error) {
    if (describeReadFailure(error, path) === error) throw error;
    return "unreadable";
  }
  return digester.digest() === digest ? undefined : "altered";
}

async function checkReferences(folder: string): Promise<readonly StoreProblem[]> {
  const problems: StoreProblem[] = [];
  for (const root of (await readLayoutIndex(folder)).manifests) {
    try {
      for (const descriptor of (await markContent(folder, [root])).values()) {
        const kind = await checkReference(folder, descriptor);
        const { digest } = descriptor;
        if (kind !== undefined) problems.push({ kind, path: blobPathIn(folder, digest), digest });
      }
    } catch (error) {
      if (!(error instanceof ToolingError) || error.code === "FILE_LIMIT_EXCEEDED") throw error;
      problems.push({ kind: "unreadable", path: blobPathIn(folder, root.digest), digest: root.digest });
    }
  }
  return problems;
}

async function checkReference(
  folder: string,
  { digest, size }: Descriptor,
): Promise<"missing" | "wrong-size" | undefined> {
  try {
    return (await lstat(blobPathIn(folder, digest))).size === size ? undefined : "wrong-size";
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return "missing";
    throw error;
  }
}
