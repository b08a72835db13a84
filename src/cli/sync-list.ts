// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import { z } from "zod";
import { ToolingError } from "../core/error.ts";
import { isTag } from "../oci/index.ts";

/** What to keep in step with what. */
export interface SyncWish {
  /** A repository or layout when there are patterns, else one image. */
  readonly from: string;
  readonly to: string;
  /** Patterns of tags, with `*` and `?`. Absent: `from` names one image. */
  readonly tags?: readonly string[] | undefined;
}

const SyncList = z.strictObject({
  images: z
    .array(
      z.strictObject({
        from: z.string().min(1),
        to: z.string().min(1),
        tags: z.array(z.string().min(1)).min(1).optional(),
      }),
    )
    .min(1),
});

/**
 * Reads a list of what to synchronise, YAML or JSON: `images: [{ from, to, tags? }]`.
 *
 * @throws {ToolingError} `FILE_UNREADABLE`, `CONFIG_INVALID`
 */
export async function readSyncList(file: string): Promise<readonly SyncWish[]> {
  const document = parseDocument(await readText(file), { uniqueKeys: true });
  const [fault] = document.errors;
  if (fault !== undefined) {
    const [start] = fault.linePos ?? [];
    const [what = ""] = fault.message.split("\n");
    throw invalid(what, { file, line: start?.line ?? 1, column: start?.col ?? 1 });
  }
  const parsed = SyncList.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return parsed.data.images;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw invalid(issues[0] ?? "", { file, line: 1, column: 1 });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new ToolingError("FILE_UNREADABLE", `"${file}" cannot be read`, {
      hint: "Check the path.",
      cause: error,
    });
  }
}

/** Whether a tag fits a pattern with `*` and `?`. */
export function matchesTag(tag: string, pattern: string): boolean {
  const parts = pattern.split(/(\*+|\?)/).map((part) => {
    if (part.startsWith("*")) return ".*";
    return part === "?" ? "." : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  });
  return isTag(tag) && new RegExp(`^${parts.join("")}$`).test(tag);
}

function invalid(
  what: string,
  position: { readonly file: string; readonly line: number; readonly column: number },
): ToolingError {
  return new ToolingError("CONFIG_INVALID", `list of images is wrong: ${what}`, {
    hint: "Write images: [{ from: REPOSITORY, to: REPOSITORY, tags: [PATTERN] }].",
    position,
  });
}
