// SPDX-License-Identifier: Apache-2.0
import semver from "semver";

const VERSION = /^v?(0|[1-9]\d*|0\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;
const EXACT = /^[=v]?v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

/** Whether `text` is a wish that we understand: a range of npm's syntax, `latest`, or a version. */
export function isVersionRange(text: string): boolean {
  return toSemverRange(text) !== undefined;
}

/** Whether a wish names one version (`1.34.4`, `v1.34.4`, `=1.34.4`), so that no list is needed. */
export function isExactVersion(range: string): boolean {
  return EXACT.test(range.trim());
}

/** The version without `v` or `=` in front: `v1.34.4` gives `1.34.4`. */
export function bareVersion(text: string): string {
  return text.trim().replace(/^=?v?/, "");
}

/**
 * Whether `version` (with or without `v`, two parts allowed) is in `range`. Pre-releases are only in a range
 * that names one of the same version. A version that is no number sequence is only equal to itself.
 */
export function satisfiesRange(version: string, range: string): boolean {
  if (bareVersion(version) === bareVersion(range)) return true;
  const parsed = toSemver(version);
  const wanted = toSemverRange(range);
  return parsed !== undefined && wanted !== undefined && semver.satisfies(parsed, wanted);
}

/** The highest version in `range`, as it stands in `versions`. Absent: none is. */
export function selectVersion(versions: Iterable<string>, range: string): string | undefined {
  return [...versions].filter((version) => satisfiesRange(version, range)).toSorted(compareVersions)[0];
}

/** Orders versions newest first; those that are no number sequence come last, by code unit. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [toSemver(a), toSemver(b)];
  if (left === undefined || right === undefined) {
    if (left !== right) return left === undefined ? 1 : -1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return semver.rcompare(left, right) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Pads `1.7` to `1.7.0` and drops leading zeros, which calendar versions have. */
function toSemver(text: string): string | undefined {
  const match = VERSION.exec(text.trim());
  if (match === null) return undefined;
  const [, major, minor = "0", patch = "0", pre = ""] = match;
  const version = `${Number(major)}.${Number(minor)}.${Number(patch)}${pre}`;
  return semver.valid(version) ?? undefined;
}

function toSemverRange(text: string): string | undefined {
  const range = text.trim();
  if (range === "latest" || range === "*" || range === "x") return "*";
  if (range === "") return undefined;
  return semver.validRange(isExactVersion(range) ? bareVersion(range) : range) ?? undefined;
}
