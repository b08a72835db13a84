// SPDX-License-Identifier: Apache-2.0

const VERSION = /^(?:\d+:)?\d[A-Za-z0-9.+~:-]*$/u;

/** Whether `text` has the form of a Debian version, `[epoch:]upstream[-revision]` (policy 5.6.12). */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/**
 * Orders two Debian versions as dpkg does: negative when `a` is older, 0 when neither is (policy 5.6.12).
 * An absent epoch counts as 0, an absent revision as the smallest one.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const left = splitVersion(a);
  const right = splitVersion(b);
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

interface SplitVersion {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

function splitVersion(version: string): SplitVersion {
  const colon = version.indexOf(":");
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return {
    epoch: colon < 0 ? 0 : Number.parseInt(version.slice(0, colon), 10) || 0,
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? "" : rest.slice(dash + 1),
  };
}

/** Alternates between a run of other characters and a run of digits, until one of them differs. */
function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const order = weighCharacter(a, i) - weighCharacter(b, j);
      if (order !== 0) return order;
      i += 1;
      j += 1;
    }
    const endOfA = skipDigits(a, i);
    const endOfB = skipDigits(b, j);
    const order = compareDigits(a.slice(i, endOfA), b.slice(j, endOfB));
    if (order !== 0) return order;
    i = endOfA;
    j = endOfB;
  }
  return 0;
}

/** `~` before the end of the part, the end (or a digit) before letters, letters before all others. */
function weighCharacter(text: string, index: number): number {
  if (index >= text.length || isDigit(text, index)) return 0;
  const code = text.charCodeAt(index);
  if (code === 0x7e) return -1;
  const isLetter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  return isLetter ? code : code + 256;
}

/** By value, however long: digits beyond 2^53 (dates with times) must not lose precision. */
function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/u, "");
  const right = b.replace(/^0+/u, "");
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0x30 && code <= 0x39;
}

function skipDigits(text: string, index: number): number {
  let end = index;
  while (isDigit(text, end)) end += 1;
  return end;
}
