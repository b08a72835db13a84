// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";

/** Digests of one member by the algorithm's name, in base64url without padding. */
export type MemberDigest = Readonly<Record<string, string>>;

/** What a wheel's RECORD is of one file. */
interface RecordLine {
  readonly path: string;
  /** Such as `sha256=...`; empty for RECORD itself and signatures over it. */
  readonly hash: string;
}

/** Files that a RECORD cannot hold the digest of (binary distribution format, "The .dist-info directory"). */
const WITHOUT_DIGEST = /\/RECORD(?:\.jws|\.p7s)?$/;

/**
 * Checks that a wheel holds what its RECORD says: every file is listed with its digest, and none is missing.
 *
 * @param record Path and text of the RECORD. Absent: the wheel has none.
 * @throws {ToolingError} `ARCHIVE_INVALID`
 */
export function checkRecord(
  wheel: string,
  record: { readonly path: string; readonly text: string } | undefined,
  members: ReadonlyMap<string, MemberDigest>,
): void {
  if (record === undefined) throw invalid(wheel, "has no RECORD of its files");
  const lines = new Map(parseRecord(record.text).map(({ path, hash }) => [path, hash]));
  for (const [path, digests] of members) {
    const hash = lines.get(path);
    if (hash === undefined && !WITHOUT_DIGEST.test(path))
      throw invalid(wheel, `does not list "${path}" in its RECORD`);
    if (WITHOUT_DIGEST.test(path)) continue;
    const [, algorithm = "", digest] = /^([a-z0-9]+)=([A-Za-z0-9_-]+)=*$/.exec(hash ?? "") ?? [];
    if (digest === undefined || digests[algorithm] !== digest) {
      throw invalid(wheel, `has another "${path}" than its RECORD says`);
    }
  }
  const missing = [...lines.keys()].find((path) => !members.has(path) && !path.endsWith("/"));
  if (missing !== undefined) throw invalid(wheel, `lacks "${missing}", which its RECORD lists`);
}

/** Lines of `path,hash,size`; a path with a comma or a quote stands in quotes (RFC 4180). */
function parseRecord(text: string): readonly RecordLine[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line !== "")
    .flatMap((line) => {
      const [, quoted, bare, hash = ""] = /^(?:"((?:[^"]|"")*)"|([^",]*)),([^,]*),\d*$/.exec(line) ?? [];
      const path = quoted?.replaceAll('""', '"') ?? bare;
      return path === undefined ? [] : [{ path, hash }];
    });
}

function invalid(wheel: string, what: string): ToolingError {
  return new ToolingError("ARCHIVE_INVALID", `"${wheel}" ${what}`, {
    hint: "Do not use this wheel; choose another version, or tell whoever made it.",
  });
}
