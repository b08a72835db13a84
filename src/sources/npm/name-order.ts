// SPDX-License-Identifier: Apache-2.0

const ORDER = "_-.@/~0123456789abcdefghijklmnopqrstuvwxyz";

/**
 * Orders package names as npm does, which asks the English collation: it decides which of two versions comes first and
 * gets the higher place. Written out, so that no host's collation has a say in a lock.
 */
export function compareNames(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = ORDER.indexOf(left[index] ?? "") - ORDER.indexOf(right[index] ?? "");
    if (difference !== 0) return difference;
  }
  // Of names that only differ in case, the smaller letter comes first.
  return left.length - right.length || (a > b ? -1 : a < b ? 1 : 0);
}
