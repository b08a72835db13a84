// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import {
  keepChoices,
  parseChoices,
  pathBelow,
  readChoices,
  type SessionCopy,
  type SessionMount,
} from "../session/index.ts";

/** Largest credential file that is copied, in bytes. */
const COPY_LIMIT = 16 * 1024 * 1024;

/**
 * Where a home remembers its copies: a file for each, with the digest of its source, its path in the home, and the
 * choices that it began with.
 */
const NOTES = ".toolbox/copies";

/**
 * Brings a private copy up to date: it is written when it is missing, and again when its source is no longer what it
 * was made from. What tools wrote into it meanwhile stays until then.
 *
 * @throws {ToolingError} `MOUNT_REFUSED` when no private folder holds its target, `FILE_UNREADABLE`, `FILE_UNWRITABLE`
 */
export async function refreshCopy(copy: SessionCopy, mounts: readonly SessionMount[]): Promise<void> {
  const home = mounts.findLast(
    ({ target, create }) => create === "folder" && pathBelow(target, copy.target) !== undefined,
  );
  if (home === undefined) throw refused(copy.target, "it lies outside the session's home");
  const inside = pathBelow(home.target, copy.target) ?? "";
  await makeFolders(home.source, dirname(inside), copy.target);
  await makeFolders(home.source, NOTES, copy.target);
  const path = join(home.source, inside);
  const content = "content" in copy ? new TextEncoder().encode(copy.content) : await readSource(copy.source);
  const origin = createHash("sha256").update(content).digest("hex");
  const note = join(home.source, NOTES, noteName(inside));
  const text = `${origin}\n${inside}\n`;
  const known = (await readNote(note)) ?? "";
  const isThere = await isFile(path);
  if (known.startsWith(text) && isThere) return;
  if ("content" in copy && copy.keeps !== undefined) {
    const was = known.split("\n")[2] ?? "";
    const kept = isThere ? await keepFromCopy(copy.content, { was, path }) : copy.content;
    await writeFileAtomically(path, kept, { mode: 0o600 });
    const choices = JSON.stringify(await readChoices(copy.content));
    await writeFileAtomically(note, `${text}${choices}\n`, { mode: 0o600 });
    return;
  }
  await writeFileAtomically(path, content, { mode: 0o600 });
  await writeFileAtomically(note, text, { mode: 0o600 });
}

/** @param was What the note says of the choices that the copy began with. Commands may have written anything there. */
async function keepFromCopy(
  content: string,
  { was, path }: { readonly was: string; readonly path: string },
): Promise<string> {
  const now = await readChoices(new TextDecoder().decode(await readSource(path)));
  return await keepChoices(content, parseChoices(was), now);
}

/**
 * Takes away the private copies that earlier sessions made and that this one does not name: a credential that is named
 * no longer is not to be seen any longer.
 */
export async function removeOtherCopies(
  copies: readonly SessionCopy[],
  mounts: readonly SessionMount[],
): Promise<void> {
  for (const home of mounts.filter(({ create }) => create === "folder")) {
    const named = new Set(copies.map(({ target }) => noteName(pathBelow(home.target, target) ?? "")));
    for (const name of await listNotes(home.source)) {
      if (named.has(name)) continue;
      const note = join(home.source, NOTES, name);
      const [, inside = ""] = ((await readNote(note)) ?? "").split("\n");
      const path = join(home.source, inside);
      if (isReal(home.source, inside) && (await isFile(path))) await rm(path, { force: true });
      await rm(note, { force: true });
    }
  }
}

function noteName(inside: string): string {
  return createHash("sha256").update(inside).digest("hex").slice(0, 32);
}

async function listNotes(home: string): Promise<string[]> {
  if (!isReal(home, `${NOTES}/any`)) return [];
  try {
    const entries = await readdir(join(home, NOTES), { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** Whether a path leads to a place in the home without a link on the way. Commands may write whatever they like there. */
function isReal(home: string, inside: string): boolean {
  if (inside === "" || posix.normalize(`/${inside}`) !== `/${inside}`) return false;
  const folders = inside.split("/").slice(0, -1);
  for (const [index] of folders.entries()) {
    try {
      if (!lstatSync(join(home, ...folders.slice(0, index + 1))).isDirectory()) return false;
    } catch (error) {
      if (isSystemError(error, "ENOENT", "ENOTDIR")) return false;
      throw error;
    }
  }
  return true;
}

async function readSource(source: string): Promise<Uint8Array> {
  try {
    const { size } = await lstat(source);
    if (size > COPY_LIMIT) throw unreadable(source, `larger than ${COPY_LIMIT} bytes`);
    return await readFile(source);
  } catch (error) {
    if (isSystemError(error)) throw unreadable(source, error.code ?? error.message, error);
    throw error;
  }
}

/**
 * Makes folders below a home that commands may write to. No link is followed: it could lead to any file of the caller.
 *
 * @param target What they are for, as it is called inside.
 * @throws {ToolingError} `MOUNT_REFUSED`
 */
export async function makeFolders(home: string, folder: string, target: string): Promise<void> {
  let path = home;
  for (const part of folder.split("/").filter((one) => one !== "" && one !== ".")) {
    path = join(path, part);
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
      if (!(await lstat(path)).isDirectory()) throw refused(target, `"${path}" is not a folder`);
    }
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

async function readNote(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function refused(target: string, why: string): ToolingError {
  return new ToolingError("MOUNT_REFUSED", `"${target}" cannot be copied into the session: ${why}`, {
    hint: "Remove what stands in the way in the session's home, or do not name that credential.",
  });
}

function unreadable(source: string, why: string, cause?: unknown): ToolingError {
  return new ToolingError("FILE_UNREADABLE", `"${source}" cannot be read (${why})`, {
    hint: "Check that file, or do not name that credential.",
    cause,
  });
}
