// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { join } from "node:path";
import { readZip, type ZipMember } from "../../archive/index.ts";
import { collectBytes, type LentBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import { readFileContent } from "../../core/file-content.ts";
import type { FetchedFile } from "../fetch-file.ts";
import { programFolder, readProgram, storeProgram } from "../program-cache.ts";
import type { SourceContext } from "../tool-source.ts";
import { checkRecord, type MemberDigest } from "./wheel-record.ts";

/** One file of a wheel. */
export interface WheelMember {
  /** In the wheel. */
  readonly path: string;
  readonly isExecutable: boolean;
  readonly size: number;
  /** Opens the content from its start; may be called more than once. */
  readonly open: () => LentBytes;
}

const LIMITS = { size: 4 * 1024 ** 3, entries: 200_000 };
const MOST_TEXT_BYTES = 16 * 1024 * 1024;

/**
 * The files of a wheel, its RECORD checked. Their content is kept in the cache as one file, so that no path of a wheel
 * ever becomes a path of this machine.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `ARCHIVE_LIMIT_EXCEEDED`, `DISK_FULL`
 */
export async function openWheel(
  wheel: FetchedFile,
  name: string,
  { cacheDir, signal }: Pick<SourceContext, "cacheDir" | "signal">,
): Promise<readonly WheelMember[]> {
  const folder = programFolder(join(cacheDir, "programs"), { wheel: wheel.sha256 });
  const content =
    (await readProgram(folder)) ??
    (await storeProgram(joinMembers(wheel.path, name, signal), folder, { signal }));
  const members: WheelMember[] = [];
  let start = 0;
  for await (const { path, mode, size } of listFiles(wheel.path, name, signal)) {
    const from = start;
    start += size;
    members.push({
      path,
      isExecutable: (mode & 0o111) !== 0,
      size,
      open: () => readFileContent(content.path, { start: from, length: size }),
    });
  }
  return members;
}

/**
 * One text file out of a wheel, such as `METADATA` of its `.dist-info` folder, straight from the archive.
 * Absent: it has none.
 *
 * @throws {ToolingError} as {@link openWheel}
 */
export async function readDistInfo(
  wheel: FetchedFile,
  name: string,
  file: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  for await (const { path, content } of listFiles(wheel.path, name, signal)) {
    const [folder, rest] = path.split("/", 2);
    if (folder?.endsWith(".dist-info") !== true || rest !== file || path.split("/").length !== 2) continue;
    return Buffer.from(await collectBytes(content, { limit: MOST_TEXT_BYTES })).toString("utf8");
  }
  return undefined;
}

async function* joinMembers(path: string, name: string, signal: AbortSignal | undefined): LentBytes {
  const digests = new Map<string, MemberDigest>();
  let record: { readonly path: string; readonly text: string } | undefined;
  for await (const member of listFiles(path, name, signal)) {
    const hashes = ["sha256", "sha384", "sha512"].map((algorithm) => ({
      algorithm,
      hash: createHash(algorithm),
    }));
    const kept: Uint8Array[] | undefined = /^[^/]+\.dist-info\/RECORD$/.test(member.path) ? [] : undefined;
    for await (const chunk of member.content) {
      for (const { hash } of hashes) hash.update(chunk);
      kept?.push(new Uint8Array(chunk));
      yield chunk;
    }
    const found = hashes.map(({ algorithm, hash }) => [algorithm, hash.digest("base64url")]);
    digests.set(member.path, Object.fromEntries(found) as MemberDigest);
    if (kept !== undefined) record = { path: member.path, text: Buffer.concat(kept).toString("utf8") };
  }
  checkRecord(name, record, digests);
}

async function* listFiles(
  path: string,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ZipMember, void, undefined> {
  for await (const member of readZip(path, { limits: LIMITS, signal })) {
    if (member.type === "file") yield member;
    if (member.type !== "symlink") continue;
    throw new ToolingError("ARCHIVE_UNSAFE", `"${name}" has "${member.path}", which is a link`, {
      hint: "Do not use this wheel; tell whoever made it.",
    });
  }
}
