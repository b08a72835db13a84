// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { link, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeWriteFailure } from "./atomic-file.ts";
import { isSystemError, ToolingError } from "./error.ts";
import { readPatiently, whenFilesAreFree } from "./file-limit.ts";
import { makeFolder } from "./make-folder.ts";

/** Optional parts of {@link withFileLock}. */
export interface FileLockOptions {
  /** How long to wait for another holder, in milliseconds. Absent: 60 000. */
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` while this process alone holds the lock file at `path`.
 * A lock left by a process of this host that no longer runs is taken over, so a crash never blocks the next run.
 * Not re-entrant. Works on file systems without flock (NFS): it relies on link(2) being exclusive.
 *
 * @throws {ToolingError} `STORE_BUSY` when another process holds it longer than `timeout`; `DISK_FULL`, `FILE_UNWRITABLE`
 */
export async function withFileLock<T>(
  path: string,
  { timeout = 60_000, signal }: FileLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await makeFolder(dirname(path));
  } catch (error) {
    throw describeWriteFailure(error, path);
  }
  const deadline = performance.now() + timeout;
  const started = await readStartTime(process.pid);
  const owner = JSON.stringify({ pid: process.pid, started, host: hostname(), id: randomUUID() });
  while (!(await tryLock(path, owner))) {
    signal?.throwIfAborted();
    await breakStaleLock(path);
    if (performance.now() > deadline) throw busy(path);
    await sleep(5 + Math.random() * 20, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** Writes a private file first and links it into place, so a lock file is never seen half-written. */
async function tryLock(path: string, owner: string): Promise<boolean> {
  const mine = `${path}.${process.pid}-${randomUUID()}`;
  try {
    await whenFilesAreFree(mine, async () => writeFile(mine, owner, { flag: "wx" }));
    await link(mine, path);
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw describeWriteFailure(error, path);
  } finally {
    await rm(mine, { force: true });
  }
}

async function breakStaleLock(path: string): Promise<void> {
  const before = await readLock(path);
  if (before === undefined || before.host !== hostname() || (await isRunning(before))) return;
  // Two waiters may see the same dead owner: whoever wins this second lock removes it, after looking again.
  const breaker = `${path}.break`;
  if (!(await tryLock(breaker, "")) && !(await removeIfOld(breaker))) return;
  const again = await readLock(path);
  if (again?.id === before.id) await rm(path, { force: true });
  await rm(breaker, { force: true });
}

/** A breaker lives for a few system calls only; one older than ten seconds is a crash's. */
async function removeIfOld(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs < 10_000) return false;
    await rm(path, { force: true });
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
  return false;
}

interface LockOwner {
  readonly pid: number;
  /** Tells the owner from a later process that got its number. Absent where there is no /proc. */
  readonly started?: string;
  readonly host: string;
  readonly id: string;
}

async function readLock(path: string): Promise<LockOwner | undefined> {
  try {
    return JSON.parse((await readPatiently(path)).toString("utf8")) as LockOwner;
  } catch (error) {
    if (isSystemError(error, "ENOENT") || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function isRunning({ pid, started }: LockOwner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isSystemError(error, "EPERM");
  }
  return started === undefined || started === (await readStartTime(pid));
}

/** Start time in clock ticks since boot: field 22 of /proc/PID/stat, counted after the name's last `)`. */
async function readStartTime(pid: number): Promise<string | undefined> {
  try {
    const text = (await readPatiently(`/proc/${pid}/stat`)).toString("utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function busy(path: string): ToolingError {
  return new ToolingError("STORE_BUSY", `"${path}" is held by another process`, {
    hint: "Wait for the other toolbox command to end, or remove that file if none is running.",
  });
}
