// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Plots of the parts that build the same image with several builders. */
import { drawBars, drawLines } from "./svg.mjs";
import { formatMegabytes, formatSeconds } from "./units.mjs";

/** @typedef {import("./plots.mjs").PartPlot} PartPlot */
/** @typedef {Record<string, Record<string, any>>} Costs By builder and step. */

/** @param {{ costs: Costs, content: { programs: string[], bytes: number } }} found @returns {PartPlot[]} */
export function plotImages({ costs, content }) {
  const what = `Eight Go programs (${formatMegabytes(content.bytes)}) to a registry, cold`;
  const bump = `bump ${content.programs[0]}`;
  const changed = "One of the eight changed (the first)";
  return [
    { name: "cold", svg: drawCosts(`${what}: seconds`, costs, "cold", "wall"), inReadme: true },
    { name: "cold-cpu", svg: drawCosts(`${what}: seconds of CPU time`, costs, "cold", "cpu") },
    { name: "cold-memory", svg: drawCosts(`${what}: peak memory`, costs, "cold", "rss") },
    { name: "cold-bytes", svg: drawSent(`${what}: bytes sent to the registry`, costs, "cold") },
    {
      name: "bump",
      svg: drawCosts(`${changed}, build and push: seconds`, costs, bump, "wall"),
      inReadme: true,
    },
    { name: "bump-bytes", svg: drawSent(`${changed}: bytes sent to the registry`, costs, bump) },
    { name: "bump-positions", svg: drawPositions(costs, content.programs) },
    { name: "noop", svg: drawCosts("Nothing changed, build and push: seconds", costs, "noop", "wall") },
  ];
}

/** @param {{ costs: Costs, content: { programs: string[] } }} found @returns {PartPlot[]} */
export function plotEngines({ costs, content }) {
  const bump = `bump ${content.programs[0]}`;
  const changed = "Builders with a daemon, the first of eight changed";
  return [
    { name: "engines-cold", svg: drawCosts("Builders with a daemon, cold: seconds", costs, "cold", "wall") },
    { name: "engines-bump", svg: drawCosts(`${changed}: seconds`, costs, bump, "wall") },
    { name: "engines-bump-bytes", svg: drawSent(`${changed}: bytes sent`, costs, bump) },
  ];
}

/** @param {Costs} costs @param {readonly string[]} programs */
function drawPositions(costs, programs) {
  const lines = Object.entries(costs).flatMap(([name, steps]) => {
    const points = programs.flatMap((program, at) => {
      const wall = steps[`bump ${program}`]?.wall?.median;
      return wall === undefined ? [] : [/** @type {const} */ ([at + 1, wall])];
    });
    return points.length === 0 ? [] : [{ name, kind: kindOf(name), points }];
  });
  const axes = { x: "position of the changed program", y: "seconds" };
  return drawLines("One of the eight changed, by its position", lines, axes);
}

/** @param {string} title @param {Costs} costs @param {string} step @param {"wall" | "cpu" | "rss"} figure */
function drawCosts(title, costs, step, figure) {
  const bars = rowsOf(costs, step, ({ [figure]: { median, min, max } }) => ({ value: median, min, max }));
  return drawBars(title, bars, figure === "rss" ? formatMegabytes : formatSeconds);
}

/** @param {string} title @param {Costs} costs @param {string} step */
function drawSent(title, costs, step) {
  const bars = rowsOf(costs, step, ({ sent, changed }) => ({
    value: sent,
    note: `${formatMegabytes(sent)}${step === "cold" ? "" : `, ${changed} layers`}`,
  }));
  return drawBars(title, bars, formatMegabytes);
}

/** @param {Costs} costs @param {string} step @param {(found: any) => Omit<import("./svg.mjs").Bar, "label">} value */
function rowsOf(costs, step, value) {
  return Object.entries(costs)
    .filter(([, steps]) => steps[step] !== undefined)
    .map(([label, steps]) => ({ label, isOurs: label.startsWith("toolbox"), ...value(steps[step]) }))
    .toSorted((a, b) => a.value - b.value);
}

/** @param {string} name @returns {"ours" | "second" | "other"} */
function kindOf(name) {
  if (name === "toolbox gzip") return "ours";
  return name.startsWith("toolbox") ? "second" : "other";
}
