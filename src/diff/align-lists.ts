// SPDX-License-Identifier: Apache-2.0

/** A stretch of two lists in which they differ: items `from` to `fromEnd` of the one stand where the other has its own. */
export interface ListGap {
  readonly from: number;
  readonly fromEnd: number;
  readonly to: number;
  readonly toEnd: number;
}

/** More comparisons than this are not worth the time: the lists are then taken to differ from end to end. */
const MOST_COMPARISONS = 4_000_000;

/** The stretches that are left of two lists when their longest common subsequence is taken out, in order. */
export function alignLists(from: readonly string[], to: readonly string[]): readonly ListGap[] {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start += 1;
  let [fromEnd, toEnd] = [from.length, to.length];
  while (fromEnd > start && toEnd > start && from[fromEnd - 1] === to[toEnd - 1]) {
    fromEnd -= 1;
    toEnd -= 1;
  }
  if (start === fromEnd && start === toEnd) return [];
  const whole = { from: start, fromEnd, to: start, toEnd };
  if ((fromEnd - start) * (toEnd - start) > MOST_COMPARISONS) return [whole];
  return gapsBetween(commonPairs(from, to, whole), whole);
}

/** Indexes of the items of a longest common subsequence within a stretch. */
function commonPairs(
  from: readonly string[],
  to: readonly string[],
  stretch: ListGap,
): readonly (readonly [number, number])[] {
  const lengthAt = measureCommon(from, to, stretch);
  const pairs: [number, number][] = [];
  for (let a = stretch.from, b = stretch.to; a < stretch.fromEnd && b < stretch.toEnd;) {
    if (from[a] === to[b]) pairs.push([a++, b++]);
    else if (lengthAt(a + 1, b) >= lengthAt(a, b + 1)) a += 1;
    else b += 1;
  }
  return pairs;
}

/** Gives how much the rests of both lists from two places on have in common. */
function measureCommon(
  from: readonly string[],
  to: readonly string[],
  stretch: ListGap,
): (a: number, b: number) => number {
  const width = stretch.toEnd - stretch.to + 1;
  const lengths = new Uint32Array((stretch.fromEnd - stretch.from + 1) * width);
  const place = (a: number, b: number): number => (a - stretch.from) * width + (b - stretch.to);
  const lengthAt = (a: number, b: number): number => lengths[place(a, b)] ?? 0;
  for (let a = stretch.fromEnd - 1; a >= stretch.from; a -= 1) {
    for (let b = stretch.toEnd - 1; b >= stretch.to; b -= 1) {
      const isCommon = from[a] === to[b];
      lengths[place(a, b)] = isCommon
        ? lengthAt(a + 1, b + 1) + 1
        : Math.max(lengthAt(a + 1, b), lengthAt(a, b + 1));
    }
  }
  return lengthAt;
}

function gapsBetween(pairs: readonly (readonly [number, number])[], whole: ListGap): readonly ListGap[] {
  const gaps: ListGap[] = [];
  let [a, b] = [whole.from, whole.to];
  for (const [nextA, nextB] of [...pairs, [whole.fromEnd, whole.toEnd] as const]) {
    if (nextA > a || nextB > b) gaps.push({ from: a, fromEnd: nextA, to: b, toEnd: nextB });
    [a, b] = [nextA + 1, nextB + 1];
  }
  return gaps;
}
