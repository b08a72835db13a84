// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { decompress, readTar, readZip } from "../archive/index.ts";
import type { LockedRelease } from "../catalog/index.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { readFileContent } from "../core/file-content.ts";
import type { FetchedFile } from "./fetch-file.ts";
import { type CachedProgram, programFolder, readProgram, storeProgram } from "./program-cache.ts";
import type { SourceContext } from "./tool-source.ts";

/** A program and the name it is installed under. */
export interface NamedProgram extends CachedProgram {
  readonly name: string;
}

const LIMITS = { size: 4 * 1024 ** 3, entries: 100_000 };

/**
 * The programs of a release, out of its archive or out of the cache.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID` when one is not in it, and what reading archives throws
 */
export async function extractPrograms(
  { archive, binaries, file }: Pick<LockedRelease, "archive" | "binaries" | "file">,
  fetched: FetchedFile,
  context: Pick<SourceContext, "cacheDir" | "signal">,
): Promise<readonly NamedProgram[]> {
  const names = Object.keys(binaries).toSorted();
  if (archive === "none") return names.map((name) => ({ name, ...fetched }));
  const folderOf = (path: string): string =>
    programFolder(join(context.cacheDir, "programs"), { archive: file.sha256, path });
  const found = new Map<string, CachedProgram>();
  const wanted = new Set(Object.values(binaries));
  for (const path of wanted) {
    const known = await readProgram(folderOf(path));
    if (known !== undefined) found.set(path, known);
  }
  if (found.size < wanted.size) {
    for await (const { path, type, content } of readMembers(archive, fetched.path, context.signal)) {
      if (type === "file" && wanted.has(path) && !found.has(path)) {
        found.set(path, await storeProgram(content, folderOf(path), context));
      }
    }
  }
  return names.map((name) => {
    const program = found.get(binaries[name] ?? "");
    if (program === undefined) throw notInside(binaries[name] ?? name, file.name);
    return { name, ...program };
  });
}

interface Member {
  readonly path: string;
  readonly type: string;
  readonly content: LentBytes;
}

function readMembers(
  archive: Exclude<LockedRelease["archive"], "none">,
  path: string,
  signal: AbortSignal | undefined,
): AsyncIterable<Member> {
  if (archive === "zip") return readZip(path, { limits: LIMITS, signal });
  const format = archive === "tar.xz" ? "xz" : "gzip";
  const content = readFileContent(path);
  return readTar(decompress(content, { format, limits: LIMITS, signal }), { limits: LIMITS, signal });
}

function notInside(path: string, archive: string): ToolingError {
  return new ToolingError("ARCHIVE_INVALID", `"${path}" is not a file in "${archive}"`, {
    hint: 'Correct "binaries" in the definition of the tool: the project packs it otherwise now.',
  });
}
