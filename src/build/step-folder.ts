// SPDX-License-Identifier: Apache-2.0
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type ArchiveEntry, extractTar, sortEntries, writeTar } from "../archive/index.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import { readFileContent } from "../core/file-content.ts";
import type { OperationOptions } from "../core/operation.ts";
import { startsWithElfMagic } from "./elf.ts";

/** Whether `path` is one of these folders or lies in one. None has a leading slash. */
export function liesIn(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** Writes what a tool's packages bring below those folders into `root`, where the folders exist afterwards. */
export async function fillStepFolder(
  root: string,
  folders: readonly string[],
  entries: readonly ArchiveEntry[],
  { signal }: OperationOptions,
): Promise<void> {
  const owner = { mode: 0o755, uid: 0, gid: 0 };
  const given = entries.filter(({ path }) => liesIn(path, folders));
  const known = new Set(given.map(({ path }) => path));
  const missing = folders.filter((path) => !known.has(path));
  const all = [...given, ...missing.map((path): ArchiveEntry => ({ type: "directory", path, ...owner }))];
  await extractTar(writeTar(sortEntries(all)), root, { layer: true, signal });
}

/**
 * What stands below those folders of `root` now, as it goes into a layer: owned by root, with modes that do not
 * depend on who ran the step, and without times.
 */
export async function readStepFolder(
  root: string,
  folders: readonly string[],
): Promise<readonly ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  for (const folder of folders) await addTree(root, folder, entries);
  return entries;
}

/** The first of these files that holds machine code: an ELF file, or a library of object files. Absent: none does. */
export async function findMachineCode(
  root: string,
  entries: readonly ArchiveEntry[],
): Promise<string | undefined> {
  for (const { type, path } of entries) {
    if (type === "file" && (await isMachineCode(join(root, path)))) return path;
  }
  return undefined;
}

async function addTree(root: string, path: string, entries: ArchiveEntry[]): Promise<void> {
  const file = join(root, path);
  const status = await lstat(file);
  const owner = { path, uid: 0, gid: 0 };
  if (status.isDirectory()) {
    entries.push({ type: "directory", ...owner, mode: 0o755 });
    for (const name of (await readdir(file)).toSorted()) await addTree(root, `${path}/${name}`, entries);
  } else if (status.isSymbolicLink()) {
    entries.push({ type: "symlink", ...owner, mode: 0o777, target: await readlink(file) });
  } else if (status.isFile()) {
    const mode = (status.mode & 0o100) === 0 ? 0o644 : 0o755;
    const content = (): LentBytes => readFileContent(file);
    entries.push({ type: "file", ...owner, mode, size: status.size, open: content });
  }
}

const OBJECT_LIBRARY = "!<arch>\n";

async function isMachineCode(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const head = buffer.subarray(0, bytesRead);
    return startsWithElfMagic(head) || head.toString("latin1") === OBJECT_LIBRARY;
  } finally {
    await file.close();
  }
}
