// SPDX-License-Identifier: Apache-2.0
import { normalizeProject } from "./project-name.ts";
import { parseRequirement, type Requirement } from "./requirement.ts";
import { parseSpecifiers, type Specifier } from "./specifier.ts";

/** What resolving needs of a wheel's METADATA file (core metadata specification). */
export interface CoreMetadata {
  /** Normalised. */
  readonly project: string;
  readonly version: string;
  readonly requirements: readonly Requirement[];
  /** Pythons that it runs on; empty: all. */
  readonly requiresPython: readonly Specifier[];
}

/** Reads a METADATA file. Absent: it has no name or version, or a dependency that is malformed. */
export function parseCoreMetadata(text: string): CoreMetadata | undefined {
  const fields = parseHeaders(text);
  const [name] = fields.get("name") ?? [];
  const [version] = fields.get("version") ?? [];
  const requirements = (fields.get("requires-dist") ?? []).map(parseRequirement);
  if (name === undefined || version === undefined) return undefined;
  if (!requirements.every((requirement) => requirement !== undefined)) return undefined;
  // As pip does: a range of Pythons that nobody understands excludes none.
  const requiresPython = parseSpecifiers(fields.get("requires-python")?.[0] ?? "") ?? [];
  return { project: normalizeProject(name), version, requirements, requiresPython };
}

/** The lines before the first empty one; a line that starts with white space goes on with the one before. */
function parseHeaders(text: string): ReadonlyMap<string, readonly string[]> {
  const [head = ""] = text.replaceAll("\r\n", "\n").split("\n\n", 1);
  const fields = new Map<string, string[]>();
  for (const line of head.replaceAll(/\n[ \t]+/g, " ").split("\n")) {
    const [, key, value = ""] = /^([A-Za-z-]+):\s*(.*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    const name = key.toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), value.trim()]);
  }
  return fields;
}
