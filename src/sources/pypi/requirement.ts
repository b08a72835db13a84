// SPDX-License-Identifier: Apache-2.0
import { type Marker, parseMarker } from "./marker.ts";
import { normalizeProject } from "./project-name.ts";
import { parseSpecifiers, type Specifier } from "./specifier.ts";

/** One dependency (PEP 508). */
export interface Requirement {
  /** Normalised name. */
  readonly project: string;
  /** Normalised and sorted. */
  readonly extras: readonly string[];
  readonly specifiers: readonly Specifier[];
  /** Absent: always. */
  readonly marker?: Marker | undefined;
  /** An address to take it from, which is refused where it is needed. Absent: the index. */
  readonly url?: string | undefined;
}

const NAME = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(.*)$/s;
const EXTRA = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** Reads a dependency. Absent: it is malformed. */
export function parseRequirement(text: string): Requirement | undefined {
  const [, name, extraList, rest = ""] = NAME.exec(text.trim()) ?? [];
  const extras = parseExtras(extraList ?? "");
  if (name === undefined || extras === undefined) return undefined;
  const project = normalizeProject(name);
  if (rest.startsWith("@")) return parseDirect(project, extras, rest.slice(1).trim());
  const [versions = "", ...markers] = rest.split(";");
  const specifiers = parseSpecifiers(withoutBrackets(versions.trim()));
  const condition = parseCondition(markers);
  if (specifiers === undefined || condition === undefined) return undefined;
  return { project, extras, specifiers, ...condition };
}

function parseDirect(project: string, extras: readonly string[], text: string): Requirement | undefined {
  const [url = "", ...markers] = text.split(/\s+;/);
  const condition = parseCondition(markers);
  return condition === undefined ? undefined : { project, extras, specifiers: [], url, ...condition };
}

/** A `;` inside a quoted value belongs to it. */
function parseCondition(parts: readonly string[]): { readonly marker?: Marker } | undefined {
  const text = parts.join(";").trim();
  if (text === "") return {};
  const marker = parseMarker(text);
  return marker === undefined ? undefined : { marker };
}

function parseExtras(list: string): readonly string[] | undefined {
  const extras = list
    .split(",")
    .map((extra) => extra.trim())
    .filter((extra) => extra !== "");
  if (!extras.every((extra) => EXTRA.test(extra))) return undefined;
  return [...new Set(extras.map(normalizeProject))].toSorted();
}

function withoutBrackets(text: string): string {
  return text.startsWith("(") && text.endsWith(")") ? text.slice(1, -1) : text;
}
