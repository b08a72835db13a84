// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Plots of all parts that do not build images with several builders. */
import { drawBars, drawLines } from "./svg.mjs";
import { formatGigabytes, formatMegabytes, formatMilliseconds, formatSeconds, formatSize } from "./units.mjs";

/** @typedef {import("./plots.mjs").PartPlot} PartPlot */
/** @typedef {import("../harness/statistics.mjs").Series} Series */

/** @param {any} found @returns {PartPlot[]} */
export function plotRegistry({ push, pull, copy, copyAgain, start, clients }) {
  const speeds = [
    barOf("toolbox, push", push.ours, true),
    barOf("docker-registry, push", push.peer),
    barOf("toolbox, pull", pull.ours, true),
    barOf("docker-registry, pull", pull.peer),
  ];
  const memory = [
    { label: "toolbox", value: clients.ours.rss, isOurs: true },
    { label: "docker-registry", value: clients.peer.rss },
  ];
  const copies = [
    barOf("toolbox, first", copy.ours.wall, true),
    barOf("skopeo, first", copy.peer.wall),
    barOf("toolbox, all present", copyAgain.ours.wall, true),
    barOf("skopeo, all present", copyAgain.peer.wall),
    barOf("node -e 0", start.wall),
  ];
  const many = `Registry: peak memory with ${clients.ours.clients} clients at once`;
  return [
    {
      name: "registry",
      svg: drawBars("Registry: a blob of 64 MiB", speeds, (value) => `${value.toFixed(0)} MB/s`),
    },
    { name: "registry-clients", svg: drawBars(many, memory, formatMegabytes) },
    { name: "copy", svg: drawBars("Copy of 192 MiB between registries, and again", copies, formatSeconds) },
  ];
}

/** @param {any} found @returns {PartPlot[]} */
export function plotRunPath({ costs }) {
  const bars = Object.entries(costs).map(([label, { wall }]) =>
    barOf(label, wall, /shim|toolbox/.test(label)),
  );
  return [{ name: "run", svg: drawBars("What a run of `true` takes", bars, formatMilliseconds) }];
}

/** @param {any} found @returns {PartPlot[]} */
export function plotMemory({ points }) {
  const lines = (/** @type {(point: any) => number} */ value) =>
    /** @type {const} */ ([
      ["gzip", "ours"],
      ["zstd", "second"],
    ]).map(([name, kind]) => ({
      name,
      kind,
      points: points
        .filter((/** @type {any} */ { compression }) => compression === name)
        .map((/** @type {any} */ point) => /** @type {const} */ ([point.size / 2 ** 20, value(point)])),
    }));
  const memoryAxes = { x: "size of the tool", y: "MB", logarithmic: true, bound: 200, formatX: formatSize };
  return [
    {
      name: "memory",
      inReadme: true,
      svg: drawLines(
        "Peak memory of a build against the size of a tool",
        lines(({ rss }) => rss / 1e6),
        memoryAxes,
      ),
    },
    {
      name: "size-time",
      svg: drawLines(
        "Time of a build against the size of a tool",
        lines(({ wall }) => wall),
        {
          x: "size of the tool in MiB",
          y: "seconds",
        },
      ),
    },
  ];
}

/** @param {any} found @returns {PartPlot[]} */
export function plotPlanning({ points }) {
  const byTools = points.filter((/** @type {any} */ { tools, images }) => images === Math.ceil(tools / 5));
  const byImages = points
    .filter((/** @type {any} */ { tools }) => tools === 200)
    .toSorted((/** @type {any} */ a, /** @type {any} */ b) => a.images - b.images);
  return [
    {
      name: "planning",
      svg: drawLines(
        "Planning, whole process, against tools (an image for each five)",
        lineOf(byTools, ({ tools, wall }) => [tools, wall.median]),
        { x: "tools", y: "seconds" },
      ),
    },
    {
      name: "planning-images",
      svg: drawLines(
        "Planning, whole process, against images (200 tools)",
        lineOf(byImages, ({ images, wall }) => [images, wall.median]),
        { x: "images", y: "seconds" },
      ),
    },
    {
      name: "planning-memory",
      svg: drawLines(
        "Planning: peak memory against tools",
        lineOf(byTools, ({ tools, rss }) => [tools, rss.median / 1e6]),
        { x: "tools", y: "MB", bound: 200 },
      ),
    },
  ];
}

/** @param {any} found @returns {PartPlot[]} */
export function plotBase(found) {
  const bars = ["amd64", "arm64"]
    .filter((cpu) => found[cpu] !== undefined)
    .flatMap((cpu) => [
      barOf(`toolbox, ${cpu}`, found[cpu].ours.wall, true),
      barOf(`mmdebstrap, ${cpu}`, found[cpu].peer.wall),
    ]);
  return [{ name: "base", svg: drawBars("A Debian base out of downloaded packages", bars, formatSeconds) }];
}

/** @param {any} found @returns {PartPlot[]} */
export function plotLayerOrder({ simulated, pulled }) {
  /** @type {any[]} */
  const [anyOrder] = Object.values(simulated);
  const bars = [
    ...Object.entries(simulated).map(([label, { chain }]) => barOf(label, chain, label.startsWith("least"))),
    { label: "any order, by content", value: anyOrder.content.median },
  ];
  const title = "A year of weekly pulls of 20 tools, layers known by their chain";
  const year = { name: "layer-order", svg: drawBars(title, bars, formatGigabytes) };
  if (pulled === undefined) return [year];
  const real = Object.entries(pulled.orders).map(([label, { bytes }]) => ({
    label,
    value: bytes,
    isOurs: label.startsWith("least"),
  }));
  const pulledTitle = `${pulled.weeks} weeks of it pulled by docker, layers a ${pulled.scale}th as large`;
  return [year, { name: "layer-order-pulled", svg: drawBars(pulledTitle, real, formatMegabytes) }];
}

/** @param {string} label @param {Series} series @param {boolean} [isOurs] */
function barOf(label, { median, min, max }, isOurs = false) {
  return { label, value: median, min, max, isOurs };
}

/** @param {readonly any[]} points @param {(point: any) => [number, number]} place @returns {import("./svg.mjs").Line[]} */
function lineOf(points, place) {
  return [{ name: "toolbox", kind: "ours", points: points.map(place) }];
}
