// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";

/** The annotation that gives a layer of an artifact its file name (image-spec v1.1.1, annotations.md). */
export const TITLE = "org.opencontainers.image.title";

const LONGEST_PART = 255;
const LONGEST_TITLE = 4096;
const DEVICE_NAME = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

/**
 * Why a title may not become a path below a folder, on any operating system. Absent: it may.
 * An attacker may have written it.
 */
export function objectionToTitle(title: string): string | undefined {
  if (title === "" || title.length > LONGEST_TITLE) return "is empty or too long";
  if (/^[/~]/.test(title)) return "is absolute";
  if (title.includes("\\")) return "holds a backslash";
  if (title.includes(":")) return "holds a colon, as drive letters do";
  return title
    .split("/")
    .map(objectionToPart)
    .find((objection) => objection !== undefined);
}

function objectionToPart(part: string): string | undefined {
  if (part === "" || part === "." || part === "..") return `holds the part "${part}"`;
  if (Buffer.byteLength(part) > LONGEST_PART) return "has a part that is too long";
  if (/\p{Cc}/u.test(part)) return "holds a control character";
  return DEVICE_NAME.test(part) || /[. ]$/.test(part) ? "is not a file name everywhere" : undefined;
}

/**
 * The title of a file that is pushed: its path as it was written when that is below the current folder, else its name.
 *
 * @throws {ToolingError} `REFERENCE_INVALID` when others could not pull it under that name
 */
export function titleOf(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const isBelow = !path.startsWith("/") && !parts.includes("..");
  const title = isBelow ? parts.join("/") : (parts.at(-1) ?? "");
  const objection = objectionToTitle(title);
  if (objection === undefined) return title;
  throw new ToolingError("REFERENCE_INVALID", `file name "${title}" ${objection}`, {
    hint: "Rename the file: others could not pull it under that name.",
  });
}
