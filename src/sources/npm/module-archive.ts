// SPDX-License-Identifier: Apache-2.0
import { open } from "node:fs/promises";
import { join } from "node:path";
import { collisionKey, decompress, readTar, type TarMember } from "../../archive/index.ts";
import type { LentBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import { readFileContent } from "../../core/file-content.ts";
import type { FetchedFile } from "../fetch-file.ts";
import { programFolder, readProgram, storeProgram } from "../program-cache.ts";
import type { SourceContext } from "../tool-source.ts";

/** One file of a package. */
export interface ModuleFile {
  /** Below the folder of the package. */
  readonly path: string;
  readonly isExecutable: boolean;
  readonly size: number;
  /** Opens the content from its start; may be called more than once. */
  readonly open: () => LentBytes;
}

const LIMITS = { size: 4 * 1024 ** 3, entries: 200_000, pathLength: 1024 };
/** Part of the key in the cache: to be raised when the kept form changes. */
const FORMAT = 1;
/** Bytes at the end of the kept form that tell how long the list before them is. */
const FOOTER = 8;

type KeptFile = readonly [path: string, isExecutable: boolean, size: number];

/**
 * The files of a package. Their content is kept in the cache as one file, the list of them at its end, so that no path
 * of an archive ever becomes a path of this machine, and that it is decompressed once.
 *
 * @param title Such as `prettier 3.6.2`, for errors.
 * @throws {ToolingError} `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `ARCHIVE_LIMIT_EXCEEDED`, `DISK_FULL`
 */
export async function openModule(
  archive: FetchedFile,
  title: string,
  { cacheDir, signal }: Pick<SourceContext, "cacheDir" | "signal">,
): Promise<readonly ModuleFile[]> {
  const folder = programFolder(join(cacheDir, "programs"), { module: archive.sha256, format: FORMAT });
  const kept =
    (await readProgram(folder)) ??
    (await storeProgram(joinFiles(archive.path, title, signal), folder, { signal }));
  let start = 0;
  return (await readList(kept)).map(([path, isExecutable, size]) => {
    const from = start;
    start += size;
    return {
      path,
      isExecutable,
      size,
      open: () => readFileContent(kept.path, { start: from, length: size }),
    };
  });
}

async function readList({ path, size }: FetchedContent): Promise<readonly KeptFile[]> {
  const file = await open(path, "r");
  try {
    const footer = Buffer.alloc(FOOTER);
    await file.read(footer, 0, FOOTER, size - FOOTER);
    const list = Buffer.alloc(Number(footer.readBigUInt64LE()));
    await file.read(list, 0, list.byteLength, size - FOOTER - list.byteLength);
    return JSON.parse(list.toString("utf8")) as readonly KeptFile[];
  } finally {
    await file.close();
  }
}

type FetchedContent = Pick<FetchedFile, "path" | "size">;

async function* joinFiles(path: string, title: string, signal: AbortSignal | undefined): LentBytes {
  const list: KeptFile[] = [];
  const source = readFileContent(path);
  const content = decompress(source, { format: "gzip", limits: LIMITS, signal });
  const checker = new MemberChecker(title);
  for await (const member of readTar(content, { limits: LIMITS, signal })) {
    const inner = checker.check(member);
    if (inner === undefined) continue;
    list.push([inner, (member.mode & 0o111) !== 0, member.size]);
    yield* member.content;
  }
  if (list.length === 0) throw refused("ARCHIVE_INVALID", `"${title}" has an archive without files`);
  const text = Buffer.from(JSON.stringify(list));
  const footer = Buffer.alloc(FOOTER);
  footer.writeBigUInt64LE(BigInt(text.byteLength));
  yield text;
  yield footer;
}

/** Lets files of one top folder through, each path once, whatever a file system thinks of letters. */
class MemberChecker {
  readonly #title: string;
  readonly #seen = new Map<string, { readonly path: string; readonly isFile: boolean }>();
  #top: string | undefined;

  constructor(title: string) {
    this.#title = title;
  }

  /** @returns the path below the top folder; absent for folders, which files imply. */
  check({ path, type }: TarMember): string | undefined {
    if (type !== "file" && type !== "directory") {
      throw this.#unsafe(path, "is neither a file nor a folder");
    }
    // eslint-disable-next-line no-control-regex
    if (/[\x00-\x1f\x7f\\]/.test(path)) throw this.#unsafe(path, "has a name that no file of a package has");
    const [top = "", ...rest] = path.split("/");
    // A folder without a name is the archive's own root.
    if (top === "") return undefined;
    this.#top ??= top;
    const inner = rest.join("/");
    if (top !== this.#top || (type === "file" && inner === "")) {
      throw this.#unsafe(path, "is outside of the package's folder");
    }
    this.#claimAll(inner, type === "file");
    return type === "file" ? inner : undefined;
  }

  /** A path and all folders that it stands in. */
  #claimAll(path: string, isFile: boolean): void {
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      this.#claim(path.slice(0, end), false);
    }
    if (path !== "") this.#claim(path, isFile);
  }

  #claim(path: string, isFile: boolean): void {
    const key = collisionKey(path);
    const other = this.#seen.get(key);
    if (other !== undefined && (other.path !== path || isFile || other.isFile)) {
      throw this.#unsafe(path, "comes twice, or differs from another in case only");
    }
    this.#seen.set(key, { path, isFile });
  }

  #unsafe(path: string, what: string): ToolingError {
    return refused(
      "ARCHIVE_UNSAFE",
      `"${this.#title}" has ${JSON.stringify(path)} in its archive, which ${what}`,
    );
  }
}

function refused(code: "ARCHIVE_INVALID" | "ARCHIVE_UNSAFE", message: string): ToolingError {
  return new ToolingError(code, message, { hint: "Do not use this package; tell whoever made it." });
}
