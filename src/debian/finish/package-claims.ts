// SPDX-License-Identifier: Apache-2.0
import type { ArchiveEntry } from "../../archive/index.ts";
import { resolveMergedPath } from "../merged-usr.ts";
import { textEntryOf } from "../package-file.ts";
import type { AlternativeCall } from "./alternative-call.ts";
import {
  alternativeLinks,
  ALTERNATIVES_FOLDER,
  bestChoice,
  groupEntryOf,
  installAlternatives,
  parseAlternativeGroup,
} from "./alternative-group.ts";
import { groupCalls } from "./finish-alternatives.ts";
import { TRIGGERS_FOLDER, type TriggerLine } from "./finish-dpkg-database.ts";

/**
 * What packages laid on a base add to files that an image has once, beside their stanzas: no layer of theirs may hold
 * such a file, because another tool's would hide it.
 */
export interface PackageClaims {
  readonly alternatives: readonly AlternativeCall[];
  readonly triggers: readonly TriggerLine[];
}

/** The files of an image below its top layer, as far as merging asks. Paths have no leading slash. */
export interface ImageFiles {
  /** Text of a file that {@link isClaimed} knows. Absent: there is none. */
  readText(path: string): string | undefined;
  /** `link` for a symbolic link, `other` for what is none. Absent: nothing stands there. */
  kindOf(path: string): "link" | "other" | undefined;
}

/** Whether merging claims may ask for the text of that file of a base. */
export function isClaimed(path: string): boolean {
  return path.startsWith(`${ALTERNATIVES_FOLDER}/`) || path.startsWith(`${TRIGGERS_FOLDER}/`);
}

/** The files that say the base's and all these packages' claims. Equal claims of several packages count once. */
export function mergeClaims(claims: readonly PackageClaims[], image: ImageFiles): readonly ArchiveEntry[] {
  return [
    ...mergeAlternatives(
      claims.flatMap(({ alternatives }) => alternatives),
      image,
    ),
    ...mergeTriggers(
      claims.flatMap(({ triggers }) => triggers),
      image,
    ),
  ];
}

function mergeAlternatives(calls: readonly AlternativeCall[], image: ImageFiles): readonly ArchiveEntry[] {
  const has = (path: string): boolean => image.kindOf(resolveMergedPath(path.slice(1))) !== undefined;
  const isPlain = (path: string): boolean => image.kindOf(path) === "other";
  return [...groupCalls(calls)].flatMap(([name, own]) => {
    const text = image.readText(`${ALTERNATIVES_FOLDER}/${name}`);
    const before = text === undefined ? undefined : parseAlternativeGroup(name, text);
    const group = installAlternatives(name, before, own);
    const best = group.status === "auto" ? bestChoice(group) : undefined;
    if (best === undefined) return [groupEntryOf(group)];
    return [groupEntryOf(group), ...alternativeLinks(group, best, { has, isPlain })];
  });
}

function mergeTriggers(lines: readonly TriggerLine[], image: ImageFiles): readonly ArchiveEntry[] {
  const files = new Map<string, readonly string[]>();
  for (const { file, line } of lines) {
    const known = files.get(file) ?? readLines(image, file);
    if (!known.includes(line)) files.set(file, [...known, line]);
  }
  return [...files].map(([file, known]) =>
    textEntryOf(`${TRIGGERS_FOLDER}/${file}`, known.map((line) => `${line}\n`).join("")),
  );
}

function readLines(image: ImageFiles, file: string): readonly string[] {
  return (image.readText(`${TRIGGERS_FOLDER}/${file}`) ?? "").split("\n").filter((line) => line !== "");
}
