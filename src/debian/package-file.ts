// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import {
  type ArchiveEntry,
  type ArMember,
  decompress,
  fileEntryOf,
  parentPath,
  readAr,
  readTar,
  type TarMember,
} from "../archive/index.ts";
import { collectBytes, type LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { readFileContent } from "../core/file-content.ts";
import type { ContentSpool } from "./content-spool.ts";
import { type ControlParagraph, parseControl } from "./control-file.ts";
import { resolveMergedDirectory, resolveMergedPath } from "./merged-usr.ts";
import type { PathFilter } from "./path-filter.ts";

/** What a .deb holds, its content in a spool. */
export interface UnpackedPackage {
  readonly name: string;
  readonly version: string;
  readonly control: ControlParagraph;
  /** The other members of the control archive, by name: conffiles, md5sums, scripts, ... */
  readonly metadata: ReadonlyMap<string, { readonly mode: number; readonly text: string }>;
  /** Paths as the package writes them, with a leading slash, in its order. */
  readonly paths: readonly string[];
  /** At the paths where they really stand. */
  readonly entries: readonly ArchiveEntry[];
  /** MD5 of each file of `metadata.conffiles`, as dpkg's database wants it. By path with a leading slash. */
  readonly conffiles: ReadonlyMap<string, string>;
}

/** Optional parts of {@link readPackageFile}. */
export interface ReadPackageFileOptions {
  /** Absent: nothing is left out. */
  readonly excludes?: PathFilter | undefined;
  readonly signal?: AbortSignal | undefined;
}

const LARGEST_CONTROL = 64 * 1024 * 1024;

/**
 * Reads a binary package (deb(5)) without running anything of it.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE` for devices and paths that lead out, `ARCHIVE_LIMIT_EXCEEDED`
 */
export async function readPackageFile(
  file: string,
  spool: ContentSpool,
  { excludes = () => false, signal }: ReadPackageFileOptions = {},
): Promise<UnpackedPackage> {
  let metadata: UnpackedPackage["metadata"] | undefined;
  let hasFormat = false;
  for await (const member of readAr(readFileContent(file))) {
    signal?.throwIfAborted();
    if (!hasFormat) {
      if (!(await isFormat(member))) throw invalidPackage(file);
      hasFormat = true;
    } else if (/^control\.tar(?:\.|$)/u.test(member.name) && metadata === undefined) {
      metadata = await readMetadata(member, signal);
    } else if (/^data\.tar(?:\.|$)/u.test(member.name) && metadata !== undefined) {
      return await readData(member, metadata, { file, spool, excludes, signal });
    } else if (!member.name.startsWith("_")) {
      throw invalidPackage(file);
    }
  }
  throw invalidPackage(file);
}

/** The first member tells the version of the format; we know major version 2. */
async function isFormat({ name, size, content }: ArMember): Promise<boolean> {
  if (name !== "debian-binary" || size > 64) return false;
  return /^2\.\d+\n/u.test(new TextDecoder().decode(await collectBytes(content)));
}

async function readMetadata(
  member: ArMember,
  signal: AbortSignal | undefined,
): Promise<UnpackedPackage["metadata"]> {
  const metadata = new Map<string, { mode: number; text: string }>();
  const limits = { size: LARGEST_CONTROL };
  for await (const { path, type, mode, content } of readTar(decompress(member.content, { limits, signal }), {
    limits,
    signal,
  })) {
    if (type !== "file" || path.includes("/")) continue;
    metadata.set(path, { mode, text: Buffer.from(await collectBytes(content)).toString("utf8") });
  }
  return metadata;
}

interface DataReader {
  readonly file: string;
  readonly spool: ContentSpool;
  readonly excludes: PathFilter;
  readonly signal: AbortSignal | undefined;
}

async function readData(
  member: ArMember,
  metadata: UnpackedPackage["metadata"],
  { file, spool, excludes, signal }: DataReader,
): Promise<UnpackedPackage> {
  const { control, name, version } = readIdentity(metadata, file);
  const listed = listConffiles(metadata.get("conffiles")?.text ?? "");
  const conffiles = new Map<string, string>();
  const paths: string[] = [];
  const entries: ArchiveEntry[] = [];
  const isLeft = createSkip(excludes);
  for await (const item of readTar(decompress(member.content, { signal }), { signal })) {
    paths.push(item.path === "" ? "/." : `/${item.path}`);
    if (item.path === "") continue;
    if (isLeft(item)) continue;
    const sum = listed.has(`/${item.path}`) ? createHash("md5") : undefined;
    entries.push(await toEntry(item, name, spool, sum));
    if (sum !== undefined) conffiles.set(`/${item.path}`, sum.digest("hex"));
  }
  return {
    name,
    version,
    control,
    metadata,
    paths,
    entries: dropFolders(entries, excludes),
    conffiles,
  };
}

/**
 * A hard link goes with the name that holds the content. A link in place of a package's folder of documents stays: it
 * leads to the copyright file that the package shares with another.
 */
function createSkip(excludes: PathFilter): (member: TarMember) => boolean {
  const left = new Set<string>();
  return ({ path, type, target = "" }) => {
    if (type === "directory" || (type === "symlink" && /^usr\/share\/doc\/[^/]+$/u.test(path))) return false;
    if (!excludes(path) && !(type === "hardlink" && left.has(target))) return false;
    left.add(path);
    return true;
  };
}

/** Folders that are left out themselves stay only where something in them does. */
function dropFolders(entries: readonly ArchiveEntry[], excludes: PathFilter): readonly ArchiveEntry[] {
  const needed = new Set<string>();
  for (const { path, type } of entries) {
    if (type === "directory") continue;
    for (let parent = parentPath(path); parent !== "" && !needed.has(parent); parent = parentPath(parent))
      needed.add(parent);
  }
  return entries.filter(({ path, type }) => type !== "directory" || needed.has(path) || !excludes(path));
}

function readIdentity(
  metadata: UnpackedPackage["metadata"],
  file: string,
): Pick<UnpackedPackage, "control" | "name" | "version"> {
  const [control] = parseControl(metadata.get("control")?.text ?? "");
  const name = control?.["Package"];
  const version = control?.["Version"];
  if (control === undefined || name === undefined || version === undefined) throw invalidPackage(file);
  return { control, name, version };
}

async function toEntry(
  { path, type, mode, uid, gid, size, target = "", content }: TarMember,
  owner: string,
  spool: ContentSpool,
  sum: ReturnType<typeof createHash> | undefined,
): Promise<ArchiveEntry> {
  const base = { path: resolveMergedPath(path), mode: mode & 0o7777, uid, gid };
  switch (type) {
    case "file": {
      const watched = sum === undefined ? content : watch(content, sum);
      return { type, ...base, ...(await spool.store(watched, size)) };
    }
    case "directory":
      return { type, ...base, path: resolveMergedDirectory(path) };
    case "symlink":
      return { type, ...base, target };
    case "hardlink":
      return { type, ...base, target: resolveMergedPath(target) };
    case "character-device":
    case "block-device":
    case "fifo":
      throw new ToolingError("ARCHIVE_UNSAFE", `package "${owner}" holds "${path}", which is a ${type}`, {
        hint: "Leave that package out: an image cannot hold devices.",
      });
  }
}

async function* watch(content: LentBytes, sum: ReturnType<typeof createHash>): LentBytes {
  for await (const chunk of content) {
    sum.update(chunk);
    yield chunk;
  }
}

/** Lines may carry the flag `remove-on-upgrade` before the path; such a file is not in the package. */
function listConffiles(text: string): ReadonlySet<string> {
  return new Set(text.split("\n").filter((line) => line.startsWith("/")));
}

/** A file entry of text, for what is written beside the packages' own files. */
export function textEntryOf(path: string, text: string, mode = 0o644, gid = 0): ArchiveEntry {
  return fileEntryOf(path, text, { mode, gid });
}

function invalidPackage(file: string): ToolingError {
  return new ToolingError("ARCHIVE_INVALID", `"${file}" is not a Debian package`, {
    hint: "Remove that file from the cache and try again.",
  });
}
