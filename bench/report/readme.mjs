// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** The tables of goals in README.md and on the page, out of results.json alone. */
import { formatBound, formatNumber, formatSpread } from "./verdicts.mjs";

const START = "<!-- goals: written by `npm run bench` -->";
const END = "<!-- /goals -->";

/** @typedef {{ parts: Record<string, any>, goals: import("../goals.mjs").Verdict[] }} ResultsFile */

/** What stands between the two marks. @param {ResultsFile} results @param {readonly string[]} plots Names of the plots to show. */
export function formatGoals({ parts, goals }, plots) {
  const measured = goals.filter(({ verdict }) => verdict !== "not measured");
  const rows = goals.map((goal) => {
    const verdict = goal.verdict === "missed" ? "**missed**" : goal.verdict;
    const why = goal.why === undefined ? "" : ` (${goal.why})`;
    return `| ${goal.id} | ${goal.text} | ${formatBound(goal)} | ${formatNumber(goal)} | ${formatSpread(goal)} | ${verdict}${why} |`;
  });
  const met = measured.filter(({ verdict }) => verdict === "met").length;
  return [
    `${met} of ${goals.length} are met in the last run (${describeRun(parts)}).`,
    "",
    ...plots.map((name) => `![${name}](bench/plots/${name}.png)`),
    "",
    "| | what | goal | measured | all rounds | verdict |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

/** Where and when: one line. @param {Record<string, any>} parts */
export function describeRun(parts) {
  const machines = Object.values(parts).map(({ machine }) => machine);
  const [newest] = machines.toSorted((a, b) => (a.date < b.date ? 1 : -1));
  if (newest === undefined) return "nothing was measured yet";
  const loads = machines.map(({ load }) => load);
  return `${newest.date.slice(0, 10)}, ${newest.cores} cores of ${newest.cpu}, ${newest.system}, Node.js ${newest.node}, load ${Math.min(...loads)} to ${Math.max(...loads)} at the start of its parts`;
}

/** `text` with what stands between the marks written anew. @param {string} text @param {string} content */
export function replaceGoals(text, content) {
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start === -1 || end < start) throw new Error(`README.md has no "${START}" ... "${END}"`);
  return `${text.slice(0, start + START.length)}\n\n${content}\n\n${text.slice(end)}`;
}
