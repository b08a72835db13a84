// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readOpenFile } from "../core/file-content.ts";
import { openPatiently } from "../core/file-limit.ts";
import { WORKER_THREADS, WorkerThreads } from "../core/worker-thread.ts";
import type { DigestAnswer, DigestTask } from "./digest-worker.mjs";

/** Bytes from which on a file is worth a thread of its own, which takes as long to start as 30 MB take to digest. */
const WORTH_A_THREAD = 16 * 1024 * 1024;

/** They and this thread are as many as there are cores. */
const threads = new WorkerThreads(new URL("./digest-worker.mjs", import.meta.url), WORKER_THREADS - 1);

/** Whether this thread has a large file in hand. */
let isBusy = false;

/**
 * SHA-256 of a file's bytes, as lower-case hex. Of several large files at once this thread takes one, and others the rest:
 * a workspace of programs is digested whenever it is locked.
 *
 * @throws {ToolingError} `FILE_LIMIT_EXCEEDED`; other errors of the file system pass through
 */
export async function digestOfFile(path: string): Promise<string> {
  const file = await openPatiently(path, "r");
  try {
    const { size } = await file.stat();
    if (size < WORTH_A_THREAD) return await digestHere(file.fd);
    if (isBusy) return await digestElsewhere(file.fd);
    isBusy = true;
    try {
      return await digestHere(file.fd);
    } finally {
      isBusy = false;
    }
  } finally {
    await file.close();
  }
}

async function digestElsewhere(file: number): Promise<string> {
  const task: DigestTask = { file };
  return (await threads.leastLoaded().call<DigestAnswer>(task)).sha256;
}

async function digestHere(file: number): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of readOpenFile(file)) hash.update(chunk);
  return hash.digest("hex");
}
