// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Verdicts as text. */

/** @typedef {import("../goals.mjs").Verdict} Verdict */

/** Of the goals of these parts. @param {{ goals: readonly Verdict[] }} results @param {readonly string[]} parts */
export function printVerdicts({ goals }, parts) {
  console.log("");
  for (const goal of goals.filter(({ part }) => parts.includes(part))) {
    const spread = formatSpread(goal);
    const number = formatNumber(goal).padStart(11);
    const why = goal.why === undefined ? "" : `: ${goal.why}`;
    console.log(`${goal.id.padEnd(3)} ${number} ${formatBound(goal).padEnd(12)} ${goal.verdict}${why}`);
    console.log(`      ${goal.text}${spread === "" ? "" : ` (${spread})`}`);
  }
}

/** @param {Verdict} goal */
export function formatNumber({ value, unit }) {
  return value === undefined || Number.isNaN(value) ? "-" : withUnit(value, unit);
}

/** @param {Verdict} goal */
export function formatBound({ bound, unit, atLeast }) {
  return `${atLeast ? ">=" : "<="} ${withUnit(bound, unit)}`;
}

/** Least and most of all rounds. @param {Verdict} goal */
export function formatSpread({ min, max, unit }) {
  if (min === undefined || max === undefined || min === max) return "";
  return `${withUnit(min, unit)} to ${withUnit(max, unit)}`;
}

/** @param {number} value @param {string} unit */
function withUnit(value, unit) {
  if (unit === "x") return `${value.toFixed(2)}x`;
  const digits = Number.isInteger(value) || unit === "MB" ? 0 : unit === "s" ? 2 : 1;
  return `${value.toFixed(digits)} ${unit}`;
}
