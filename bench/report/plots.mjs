// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Which plots there are, by the part that they show. A part that never ran has none. */
import { plotEngines, plotImages } from "./plot-images.mjs";
import {
  plotBase,
  plotLayerOrder,
  plotMemory,
  plotPlanning,
  plotRegistry,
  plotRunPath,
} from "./plot-others.mjs";

/** @typedef {{ name: string, svg: string, inReadme?: boolean }} PartPlot */
/** @typedef {PartPlot & { part: string }} Plot */

/** @type {Readonly<Record<string, (found: any) => PartPlot[]>>} */
const PLOTS = {
  images: plotImages,
  engines: plotEngines,
  registry: plotRegistry,
  "run-path": plotRunPath,
  memory: plotMemory,
  planning: plotPlanning,
  "debian-base": plotBase,
  "layer-order": plotLayerOrder,
};

/** @param {{ parts: Record<string, any> }} results @returns {Plot[]} */
export function drawPlots({ parts }) {
  return Object.entries(PLOTS).flatMap(([part, draw]) =>
    parts[part] === undefined ? [] : draw(parts[part]).map((plot) => ({ ...plot, part })),
  );
}
