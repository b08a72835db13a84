// SPDX-License-Identifier: Apache-2.0
import type { IndexedFile } from "./index-page.ts";
import {
  formatSpecifiers,
  isPin,
  namesPreRelease,
  parseSpecifiers,
  satisfiesSpecifiers,
  type Specifier,
} from "./specifier.ts";
import { formatSeries, listTargetTags, type TargetPython } from "./target-python.ts";
import { comparePythonVersions, isPreRelease, parsePythonVersion, type PythonVersion } from "./version.ts";
import { parseWheelName } from "./wheel-name.ts";

/** A release that a target can take: its best wheel. */
export interface Candidate {
  readonly project: string;
  readonly version: PythonVersion;
  readonly file: IndexedFile & { readonly sha256: string };
}

interface RankedCandidate extends Candidate {
  /** Position of its best tag in the target's list; lower is better. */
  readonly rank: number;
  readonly build: readonly [number, string];
}

/** Candidates of a project for one target, newest first: of each version the wheel that fits best. */
export function listCandidates(
  project: string,
  files: readonly IndexedFile[],
  target: TargetPython,
): readonly Candidate[] {
  const ranks = new Map(listTargetTags(target).map((tag, index) => [tag, index]));
  const python = parsePythonVersion(target.version);
  const ranked = files.flatMap((file) => rankFile(project, file, ranks, python)).toSorted(compareRanked);
  return ranked.filter(
    ({ version }, index) =>
      index === 0 || comparePythonVersions(version, ranked[index - 1]?.version ?? version) !== 0,
  );
}

function rankFile(
  project: string,
  file: IndexedFile,
  ranks: ReadonlyMap<string, number>,
  python: PythonVersion | undefined,
): readonly RankedCandidate[] {
  const { sha256 } = file;
  const wheel = parseWheelName(file.name);
  if (sha256 === undefined || wheel?.project !== project || python === undefined) return [];
  // As pip does: a range of Pythons that nobody understands excludes none.
  if (!satisfiesSpecifiers(python, parseSpecifiers(file.requiresPython ?? "") ?? [])) return [];
  const rank = Math.min(...wheel.tags.map((tag) => ranks.get(tag) ?? Infinity));
  if (rank === Infinity) return [];
  return [{ project, version: wheel.version, file: { ...file, sha256 }, rank, build: wheel.build }];
}

/** Newest first; of one version what was not withdrawn, then the best tag, then the highest build. */
function compareRanked(a: RankedCandidate, b: RankedCandidate): number {
  return (
    comparePythonVersions(b.version, a.version) ||
    Number(a.file.yanked) - Number(b.file.yanked) ||
    a.rank - b.rank ||
    b.build[0] - a.build[0] ||
    (a.build[1] < b.build[1] ? 1 : a.build[1] > b.build[1] ? -1 : 0)
  );
}

/**
 * Those that satisfy every clause. Withdrawn ones only count where a clause names them, pre-releases where a clause
 * names one or nothing else is left, as pip does.
 */
export function selectCandidates(
  candidates: readonly Candidate[],
  specifiers: readonly Specifier[],
): readonly Candidate[] {
  const isPinned = specifiers.some(isPin);
  const fitting = candidates.filter(
    ({ version, file }) => (isPinned || !file.yanked) && satisfiesSpecifiers(version, specifiers),
  );
  if (specifiers.some(namesPreRelease)) return fitting;
  const finals = fitting.filter(({ version }) => !isPreRelease(version));
  return finals.length > 0 ? finals : fitting;
}

/** Says why {@link selectCandidates} gives none, as a clause about the project. */
export function explainNoCandidate(
  project: string,
  files: readonly IndexedFile[] | undefined,
  specifiers: readonly Specifier[],
  target: TargetPython,
): string {
  if (files === undefined) return "it is not in the Python index";
  const place = `Python ${formatSeries(target)} on ${target.platform}`;
  const wheels = files.filter(({ name }) => parseWheelName(name)?.project === project);
  const fitting = wheels.filter(({ name }) => {
    const version = parseWheelName(name)?.version;
    return version !== undefined && satisfiesSpecifiers(version, specifiers);
  });
  const wanted = specifiers.length === 0 ? "" : ` in "${formatSpecifiers(specifiers)}"`;
  if (wheels.length === 0 && files.length > 0) {
    return "it is only published as source, which would have to be compiled on the target";
  }
  if (fitting.length === 0) return `it has no wheel${wanted}`;
  if (fitting.every(({ sha256 }) => sha256 === undefined)) return "the index gives no sha256 of its files";
  if (fitting.every(({ yanked }) => yanked)) return `every release${wanted} was withdrawn`;
  return `no wheel${wanted} fits ${place}`;
}
