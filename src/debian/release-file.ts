// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { type ControlParagraph, parseControl } from "./control-file.ts";

/** One index that a Release file vouches for. */
export interface ReleaseIndex {
  /** Bytes. */
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** A suite's Release file, as far as we use it. */
export interface Release {
  readonly origin: string;
  readonly suite: string;
  readonly codename: string;
  readonly date: Date;
  /** Absent: it never expires (a stable suite). */
  readonly validUntil?: Date;
  /** Indexes may be fetched by their digest. */
  readonly byHash: boolean;
  /** `Architecture: all` packages stand in an index of their own only. */
  readonly separateAll: boolean;
  /** By path below the suite's folder. */
  readonly indexes: ReadonlyMap<string, ReleaseIndex>;
}

/**
 * Parses a Release file's text. Only SHA256 counts; MD5 and SHA-1 are as good as no digest.
 *
 * @throws {ToolingError} `DEBIAN_INDEX_INVALID`
 */
export function parseRelease(text: string): Release {
  const [fields] = parseControl(text);
  if (fields === undefined) throw invalidRelease("is empty");
  if (fields["SHA256"] === undefined) throw invalidRelease("lists no SHA256 digests");
  const validUntil = fields["Valid-Until"];
  return {
    origin: fields["Origin"] ?? "",
    suite: fields["Suite"] ?? "",
    codename: fields["Codename"] ?? "",
    date: parseDate(fields, "Date"),
    ...(validUntil === undefined ? {} : { validUntil: parseDate(fields, "Valid-Until") }),
    byHash: fields["Acquire-By-Hash"] === "yes",
    separateAll:
      (fields["Architectures"] ?? "").split(/\s+/u).includes("all") &&
      fields["No-Support-for-Architecture-all"] !== "Packages",
    indexes: parseIndexes(fields["SHA256"]),
  };
}

/** RFC 2822 dates, which must be in UTC here (`Sat, 12 Sep 2026 07:55:41 UTC`). */
function parseDate(fields: ControlParagraph, name: string): Date {
  const text = fields[name] ?? "";
  const date = new Date(text.replace(/ (?:UTC|GMT|\+0000)$/u, " GMT"));
  if (!/ (?:UTC|GMT|\+0000)$/u.test(text) || Number.isNaN(date.getTime())) {
    throw invalidRelease(`has no valid ${name} ("${text}")`);
  }
  return date;
}

function parseIndexes(field: string): ReadonlyMap<string, ReleaseIndex> {
  const indexes = new Map<string, ReleaseIndex>();
  for (const line of field.split("\n").map((line) => line.trim())) {
    if (line === "") continue;
    const [, sha256 = "", size = "", path = ""] = /^([0-9a-f]{64})\s+(\d+)\s+(\S+)$/u.exec(line) ?? [];
    if (path === "") throw invalidRelease(`has the odd line "${line.slice(0, 80)}"`);
    indexes.set(path, { sha256, size: Number(size) });
  }
  return indexes;
}

function invalidRelease(what: string): ToolingError {
  return new ToolingError("DEBIAN_INDEX_INVALID", `the Release file ${what}`, {
    hint: "Use another mirror, or ask whoever keeps this one.",
  });
}
