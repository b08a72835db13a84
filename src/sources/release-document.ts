// SPDX-License-Identifier: Apache-2.0
import type { ReleaseChecksums, ReleaseVersions } from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import { parseStrictJson } from "../core/strict-json.ts";

const PLAIN_TAG = "^v?(\\d.*)$";

/**
 * The versions that a list of releases names, without `v`, in its order. Drafts and what the project marks as a
 * pre-release are left out.
 *
 * @throws {ToolingError} `DOWNLOAD_FAILED` when it is no such list
 */
export function parseReleaseVersions(
  text: string,
  { format, pattern }: Omit<ReleaseVersions, "url">,
): string[] {
  if (format === "index") return matchAll(text, pattern ?? "v?(\\d+\\.\\d+\\.\\d+)");
  const names = format === "github" ? githubTags(text) : text.split(/\s+/);
  const expression = new RegExp(pattern ?? PLAIN_TAG);
  return names.map((name) => expression.exec(name)?.[1]).filter((version) => version !== undefined);
}

/** The digest of `name` in a checksum file, as lower-case hex. Absent: it holds none. */
export function parseChecksums(
  text: string,
  name: string,
  format: NonNullable<ReleaseChecksums["format"]>,
): string | undefined {
  if (format === "single") return /^([0-9a-f]{64})\b/i.exec(text.trim())?.[1]?.toLowerCase();
  for (const line of text.split("\n")) {
    const [, plain, path] = /^([0-9a-f]{64})\s+[* ]?(?:\.\/)?(.+?)\s*$/i.exec(line) ?? [];
    const [, bsdPath, bsd] = /^SHA(?:2-)?256 ?\((.+)\) ?= ?([0-9a-f]{64})\s*$/i.exec(line) ?? [];
    if ((path ?? bsdPath)?.split("/").at(-1) === name) return (plain ?? bsd)?.toLowerCase();
  }
  return undefined;
}

function matchAll(text: string, pattern: string): string[] {
  const found = [...text.matchAll(new RegExp(pattern, "g"))].map((match) => match[1]);
  return [...new Set(found.filter((version) => version !== undefined))];
}

function githubTags(text: string): string[] {
  const list = parseStrictJson(text, { what: "list of releases" });
  if (!Array.isArray(list)) throw notList();
  return list.flatMap((release: unknown) => {
    if (release === null || typeof release !== "object" || !("tag_name" in release)) throw notList();
    const { tag_name: tag, draft, prerelease } = release as Record<string, unknown>;
    return typeof tag === "string" && draft !== true && prerelease !== true ? [tag] : [];
  });
}

function notList(): ToolingError {
  return new ToolingError("DOWNLOAD_FAILED", "list of releases is not in the form that was expected", {
    hint: "Name an exact version, which needs no list.",
  });
}
