// SPDX-License-Identifier: Apache-2.0
import {
  comparePublicVersions,
  comparePythonVersions,
  compareReleases,
  isPreRelease,
  parsePythonVersion,
  type PythonVersion,
} from "./version.ts";

type Operator = "~=" | "==" | "!=" | "<=" | ">=" | "<" | ">" | "===";

/** One clause of a version specifier (PEP 440), such as `>=1.2`. */
export interface Specifier {
  readonly operator: Operator;
  /** What stands behind the operator. */
  readonly text: string;
  /** Absent: the clause is `===` with something that is no version. */
  readonly version?: PythonVersion | undefined;
  /** The clause ends with `.*`. */
  readonly isPrefix: boolean;
}

const CLAUSE = /^(~=|===|==|!=|<=|>=|<|>)\s*(\S+)$/;

/** Reads clauses that commas separate; none at all allow every version. Absent: one of them is malformed. */
export function parseSpecifiers(text: string): readonly Specifier[] | undefined {
  const clauses = text
    .split(",")
    .map((clause) => clause.trim())
    .filter((clause) => clause !== "")
    .map(parseClause);
  return clauses.every((clause) => clause !== undefined) ? clauses : undefined;
}

function parseClause(clause: string): Specifier | undefined {
  const [, operator, text = ""] = CLAUSE.exec(clause) ?? [];
  if (operator === undefined) return undefined;
  if (operator === "===") return { operator, text, version: parsePythonVersion(text), isPrefix: false };
  const isPrefix = text.endsWith(".*");
  const version = parsePythonVersion(isPrefix ? text.slice(0, -2) : text);
  if (version === undefined) return undefined;
  const specifier: Specifier = { operator: operator as Operator, text, version, isPrefix };
  return isAllowed(specifier, version) ? specifier : undefined;
}

function isAllowed({ operator, isPrefix }: Specifier, version: PythonVersion): boolean {
  const isEquality = operator === "==" || operator === "!=";
  if (version.local.length > 0 && (!isEquality || isPrefix)) return false;
  if (isPrefix) return isEquality && !isPreRelease(version) && version.post === undefined;
  return operator !== "~=" || version.release.length > 1;
}

/** Writes clauses as {@link parseSpecifiers} reads them. */
export function formatSpecifiers(specifiers: readonly Specifier[]): string {
  return specifiers.map(({ operator, text }) => `${operator}${text}`).join(",");
}

/** Whether a version satisfies every clause. Whether pre-releases are wanted at all is the caller's matter. */
export function satisfiesSpecifiers(version: PythonVersion, specifiers: readonly Specifier[]): boolean {
  return specifiers.every((specifier) => satisfiesClause(version, specifier));
}

/** Whether a clause asks for pre-releases by naming one. */
export function namesPreRelease({ operator, version }: Specifier): boolean {
  return operator !== "!=" && version !== undefined && isPreRelease(version);
}

/** Whether a clause names exactly one version. */
export function isPin({ operator, isPrefix }: Specifier): boolean {
  return operator === "===" || (operator === "==" && !isPrefix);
}

function satisfiesClause(version: PythonVersion, specifier: Specifier): boolean {
  const { operator, text, version: wanted } = specifier;
  if (operator === "===") return version.text.toLowerCase() === text.toLowerCase();
  if (wanted === undefined) return false;
  if (operator === "==") return equals(version, wanted, specifier);
  if (operator === "!=") return !equals(version, wanted, specifier);
  if (operator === "<=") return comparePublicVersions(version, wanted) <= 0;
  if (operator === ">=") return comparePublicVersions(version, wanted) >= 0;
  if (operator === "<") return isBelow(version, wanted);
  if (operator === ">") return isAbove(version, wanted);
  return (
    comparePublicVersions(version, wanted) >= 0 && startsWith(version, wanted, wanted.release.length - 1)
  );
}

function equals(version: PythonVersion, wanted: PythonVersion, { isPrefix }: Specifier): boolean {
  if (isPrefix) return startsWith(version, wanted, wanted.release.length);
  const compare = wanted.local.length > 0 ? comparePythonVersions : comparePublicVersions;
  return compare(version, wanted) === 0;
}

function startsWith({ epoch, release }: PythonVersion, wanted: PythonVersion, length: number): boolean {
  const prefix = wanted.release.slice(0, length);
  return epoch === wanted.epoch && prefix.every((number, index) => number === (release[index] ?? 0));
}

/** `<3` does not let 3's own pre-releases in. */
function isBelow(version: PythonVersion, wanted: PythonVersion): boolean {
  if (comparePythonVersions(version, wanted) >= 0) return false;
  return isPreRelease(wanted) || !isPreRelease(version) || !hasSameBase(version, wanted);
}

/** `>3` does not let 3's own post-releases and local builds in. */
function isAbove(version: PythonVersion, wanted: PythonVersion): boolean {
  if (comparePythonVersions(version, wanted) <= 0) return false;
  if (!hasSameBase(version, wanted)) return true;
  return version.local.length === 0 && (wanted.post !== undefined || version.post === undefined);
}

function hasSameBase(a: PythonVersion, b: PythonVersion): boolean {
  return a.epoch === b.epoch && compareReleases(a, b) === 0;
}
