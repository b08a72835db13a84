// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** How the numbers of goals come out of results. */
import { fitLine, ratioOf, summarise } from "./harness/statistics.mjs";

/** @typedef {import("./harness/statistics.mjs").Series} Series */

/** @param {any} costs @param {string} ours @param {string} theirs @param {"wall" | "cpu"} [figure] */
export function cold(costs, ours, theirs, figure = "wall") {
  const [mine, other] = [costs[ours]?.cold?.[figure], costs[theirs]?.cold?.[figure]];
  return mine && other && ratioOf(mine, other);
}

/** @param {any} costs @param {string} ours @param {string} theirs */
export function weight(costs, ours, theirs) {
  return once(costs[ours]?.cold?.layerBytes / costs[theirs]?.cold?.layerBytes);
}

/** The position whose median is the worst. @param {any} costs @param {string} theirs @param {string} [who] */
export function slowestBump(costs, theirs, who) {
  const ratios = bumpsOf(costs, who).flatMap(([step, ours]) => {
    const other = costs[theirs]?.[step]?.wall;
    return other === undefined ? [] : [ratioOf(ours.wall, other)];
  });
  return ratios.toSorted((a, b) => b.median - a.median)[0];
}

/** @param {any} costs @param {(step: any) => number} value */
export function worstBump(costs, value) {
  const values = bumpsOf(costs).map(([, step]) => value(step));
  return values.length === 0 ? undefined : once(Math.max(...values));
}

/** @param {any} costs @param {string} [who] @returns {[string, any][]} */
function bumpsOf(costs, who = "toolbox gzip") {
  return Object.entries(costs[who] ?? {}).filter(([step]) => step.startsWith("bump "));
}

/** @param {any} costs @param {string} what */
export function wallRatio(costs, what) {
  const [ours, docker] = [costs[what]?.wall, costs["docker run"]?.wall];
  return ours && docker && ratioOf(ours, docker);
}

/** @param {readonly any[]} points */
export function growthOf(points) {
  const steps = points.filter(({ tools, images }) => tools >= 100 && images === tools / 5);
  if (!steps.some(({ tools }) => tools === 1000)) return undefined;
  const rounds = steps[0].wall.rounds.map((/** @type {number} */ _, /** @type {number} */ round) => {
    const slope = (/** @type {number} */ least, /** @type {number} */ most) =>
      fitLine(
        steps
          .filter(({ tools }) => tools >= least && tools <= most)
          .map(({ tools, wall }) => [tools, wall.rounds[round]]),
      ).slope;
    return slope(500, 1000) / slope(100, 500);
  });
  return summarise(rounds);
}

/** @param {Series} series */
export function inMilliseconds({ rounds }) {
  return summarise(rounds.map((value) => value * 1000));
}

/** @param {number} value @returns {Series} */
export function once(value) {
  return summarise([value]);
}
