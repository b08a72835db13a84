// SPDX-License-Identifier: Apache-2.0

/** A version as PEP 440 reads it. */
export interface PythonVersion {
  /** As it was written, without white space around it. */
  readonly text: string;
  readonly epoch: number;
  /** At least one number; trailing zeros kept. */
  readonly release: readonly number[];
  /** Absent: not a pre-release of that kind. */
  readonly pre?: readonly ["a" | "b" | "rc", number] | undefined;
  /** Absent: not a post-release. */
  readonly post?: number | undefined;
  /** Absent: not a development release. */
  readonly dev?: number | undefined;
  /** What stands behind `+`; empty: nothing. */
  readonly local: readonly (number | string)[];
}

const PATTERN =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d+)?)?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d+)?)?(?:[-_.]?(dev)[-_.]?(\d+)?)?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

const PRE_RELEASES: Readonly<Record<string, "a" | "b" | "rc">> = {
  a: "a",
  alpha: "a",
  b: "b",
  beta: "b",
  c: "rc",
  pre: "rc",
  preview: "rc",
  rc: "rc",
};

/** Reads a version in any spelling that PEP 440 normalises. Absent: it is none, or has a number beyond 2^53. */
export function parsePythonVersion(text: string): PythonVersion | undefined {
  const match = PATTERN.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const [, epoch, release = "", pre, preNumber, bare, post, postNumber, dev, devNumber, local] = match;
  const kind = PRE_RELEASES[pre ?? ""];
  const version: PythonVersion = {
    text: text.trim(),
    epoch: Number(epoch ?? 0),
    release: release.split(".").map(Number),
    pre: kind === undefined ? undefined : [kind, Number(preNumber ?? 0)],
    post: numberOf(bare ?? post, bare ?? postNumber),
    dev: numberOf(dev, devNumber),
    local: (local ?? "").split(/[-_.]/).flatMap(localPart),
  };
  return isSafe(version) ? version : undefined;
}

/** The number behind a word; no number means zero. Absent: the word is not there. */
function numberOf(word: string | undefined, number: string | undefined): number | undefined {
  return word === undefined ? undefined : Number(number ?? 0);
}

function localPart(part: string): readonly (number | string)[] {
  if (part === "") return [];
  return [/^\d+$/.test(part) ? Number(part) : part];
}

function isSafe({ epoch, release, pre, post, dev, local }: PythonVersion): boolean {
  const numbers = [epoch, ...release, pre?.[1] ?? 0, post ?? 0, dev ?? 0, ...local];
  return numbers.every((number) => typeof number === "string" || Number.isSafeInteger(number));
}

/** Whether it is an alpha, beta, candidate or development release. */
export function isPreRelease({ pre, dev }: PythonVersion): boolean {
  return pre !== undefined || dev !== undefined;
}

/** Orders as PEP 440 does: development, pre-, final and post-releases of one number in this order. */
export function comparePythonVersions(a: PythonVersion, b: PythonVersion): number {
  return comparePublicVersions(a, b) || compareLists(a.local, b.local, compareLocalParts);
}

/** As {@link comparePythonVersions}, whatever stands behind `+`. */
export function comparePublicVersions(a: PythonVersion, b: PythonVersion): number {
  return (
    a.epoch - b.epoch ||
    compareReleases(a, b) ||
    compareLists(preKey(a), preKey(b), (x, y) => x - y) ||
    (a.post ?? -1) - (b.post ?? -1) ||
    compareNumbers(a.dev ?? Infinity, b.dev ?? Infinity)
  );
}

/** Compares only the numbers of the release; missing ones count as zero. */
export function compareReleases({ release: a }: PythonVersion, { release: b }: PythonVersion): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A development release that is nothing else stands before all pre-releases, a final one behind them. */
function preKey({ pre, post, dev }: PythonVersion): readonly number[] {
  if (pre !== undefined) return [["a", "b", "rc"].indexOf(pre[0]), pre[1]];
  return [post === undefined && dev !== undefined ? -1 : 3, 0];
}

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Numbers stand above words (PEP 440, local version identifiers). */
function compareLocalParts(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a === b ? 0 : a < b ? -1 : 1;
  return typeof a === "number" ? 1 : -1;
}

function compareLists<T>(a: readonly T[], b: readonly T[], compare: (x: T, y: T) => number): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const difference = compare(a[index] as T, b[index] as T);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
