// SPDX-License-Identifier: Apache-2.0
// @ts-check

/**
 * Ratios and differences whose middle half is wider than this part of the median say nothing.
 * The middle half and not the extremes: one round that met something else on the machine is what medians are for.
 */
const WIDEST_SPREAD = 0.35;
/** Rounds that a verdict needs. */
const LEAST_ROUNDS = 5;

/** @typedef {{ median: number, min: number, max: number, rounds: number[] }} Series */

/** @param {readonly number[]} rounds @returns {Series} */
export function summarise(rounds) {
  return {
    median: quantile(rounds, 0.5),
    min: Math.min(...rounds),
    max: Math.max(...rounds),
    rounds: rounds.map((value) => Number(value.toPrecision(6))),
  };
}

/**
 * `ours` to `theirs`, round by round: what disturbed the machine in a round disturbed both.
 *
 * @param {Series} ours @param {Series} theirs
 */
export function ratioOf(ours, theirs) {
  return summarise(ours.rounds.map((value, round) => value / (theirs.rounds[round] ?? Number.NaN)));
}

/** @param {Series} ours @param {Series} theirs */
export function differenceOf(ours, theirs) {
  return summarise(ours.rounds.map((value, round) => value - (theirs.rounds[round] ?? Number.NaN)));
}

/**
 * Why a series cannot carry a verdict on `bound`. Absent: it can, because the rounds agree with each other, or because
 * they all lie on the same side of the bound however far apart they are.
 *
 * @param {Series} series @param {number} bound
 * @returns {string | undefined}
 */
export function whyUnsure({ rounds, min, max, median }, bound) {
  if (rounds.some((value) => !Number.isFinite(value))) return "a round is missing";
  if (rounds.length < LEAST_ROUNDS) return `${rounds.length} rounds, where ${LEAST_ROUNDS} are needed`;
  if (max <= bound || min > bound) return undefined;
  const width = (quantile(rounds, 0.75) - quantile(rounds, 0.25)) / Math.abs(median);
  if (width <= WIDEST_SPREAD) return undefined;
  return `rounds differ too much (${min.toPrecision(3)} to ${max.toPrecision(3)})`;
}

/** @param {readonly number[]} values @param {number} part 0 to 1 */
function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/**
 * The straight line through points, by least squares, and how much of the variation it explains (1: all).
 *
 * @param {readonly (readonly [x: number, y: number])[]} points
 */
export function fitLine(points) {
  const [x, y] = [mean(points.map((point) => point[0])), mean(points.map((point) => point[1]))];
  const xx = points.reduce((total, point) => total + (point[0] - x) ** 2, 0);
  const xy = points.reduce((total, point) => total + (point[0] - x) * (point[1] - y), 0);
  const yy = points.reduce((total, point) => total + (point[1] - y) ** 2, 0);
  const slope = xy / xx;
  return { slope, intercept: y - slope * x, fit: yy === 0 ? 1 : (slope * xy) / yy };
}

/** @param {readonly number[]} values */
function mean(values) {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
