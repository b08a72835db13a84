// SPDX-License-Identifier: Apache-2.0
import { mkdir, realpath } from "node:fs/promises";
import { describeWriteFailure } from "../core/atomic-file.ts";
import type { LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { limitExceeded, type ReadLimits } from "./read-limits.ts";
import { readTar, type TarMember } from "./read-tar.ts";
import { checkPortablePath, collisionKey } from "./path-policy.ts";
import { TreeWriter } from "./tree-writer.ts";
import { applyWhiteout, isWhiteout } from "./whiteout.ts";

/** Optional parts of {@link extractTar}. */
export interface ExtractTarOptions {
  /** `keep`: owners as in the archive, which only root can give. Absent or `caller`: all belongs to the caller. */
  readonly owner?: "keep" | "caller";
  /** Whether setuid and setgid bits are kept. Absent: they are dropped. */
  readonly allowSetuid?: boolean;
  /**
   * Whether this is a layer of an image that goes over those below it (image-spec v1.1.1, layer.md): whiteouts are
   * applied, the last of several members of one name wins, links may point anywhere, since they are meant for the
   * root file system. Absent: all that is refused, and names must fit every operating system.
   */
  readonly layer?: boolean;
  /** Told of each thing that was left out or weakened. */
  readonly onSkip?: (path: string, reason: string) => void;
  readonly limits?: ReadLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link extractTar} has written. */
export interface ExtractReport {
  readonly entries: number;
  /** Bytes of file content. */
  readonly size: number;
}

/**
 * Unpacks a tar archive below `folder`, and never writes, links or looks outside of it. After a failure what was
 * unpacked so far is still there: unpack into a new folder, and rename that when all is done.
 *
 * @throws {ToolingError} `ARCHIVE_UNSAFE`, `ARCHIVE_INVALID`, `ARCHIVE_LIMIT_EXCEEDED`, `DISK_FULL`, `FILE_UNWRITABLE`
 */
export async function extractTar(
  content: LentBytes,
  folder: string,
  options: ExtractTarOptions = {},
): Promise<ExtractReport> {
  try {
    await mkdir(folder, { recursive: true });
    const writer = new TreeWriter(await realpath(folder), options);
    return await extractMembers(content, writer, options);
  } catch (error) {
    throw describeWriteFailure(error, folder);
  }
}

async function extractMembers(
  content: LentBytes,
  writer: TreeWriter,
  options: ExtractTarOptions,
): Promise<ExtractReport> {
  const { layer = false, limits, signal } = options;
  const seen = new Map<string, TarMember["type"]>();
  let size = 0;
  for await (const member of readTar(content, { limits, layer, signal })) {
    if (member.path === "") continue;
    if (limits?.size !== undefined && size + member.size > limits.size) {
      throw limitExceeded(`tar archive holds more than ${limits.size} bytes`);
    }
    size += member.size;
    if (layer && isWhiteout(member.path)) {
      await applyWhiteout(member, writer);
      continue;
    }
    if (!layer) checkMember(member, seen);
    reportLosses(member, options);
    await writer.write(member);
  }
  await writer.finish();
  return { entries: writer.count, size };
}

/** What our own unpack does not take, though a layer may have it. */
function checkMember({ path, type }: TarMember, seen: Map<string, TarMember["type"]>): void {
  checkPortablePath(path);
  const key = collisionKey(path);
  const before = seen.get(key);
  seen.set(key, type);
  if (before === undefined || (before === "directory" && type === "directory")) return;
  throw new ToolingError(
    "ARCHIVE_UNSAFE",
    `archive member "${path}" comes twice, or differs from another in case only`,
    {
      hint: "Do not use this archive; tell whoever made it.",
    },
  );
}

function reportLosses(
  { path, type, mode, pax }: TarMember,
  { allowSetuid, layer, onSkip }: ExtractTarOptions,
): void {
  const isLink = type === "symlink" || type === "hardlink";
  if (!isLink && (mode & 0o6000) !== 0 && allowSetuid !== true)
    onSkip?.(path, "setuid and setgid bits are dropped");
  if (!isLink && (mode & 0o002) !== 0 && layer !== true)
    onSkip?.(path, "write permission for everybody is dropped");
  const hasAttributes = Object.keys(pax).some((key) => key.startsWith("SCHILY.xattr."));
  if (hasAttributes) onSkip?.(path, "extended attributes are dropped");
}
