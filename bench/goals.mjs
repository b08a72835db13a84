// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * The goals as data: what is compared, the bound, and how the number comes out of the results of a run. `series` is
 * one number for each round; a count or a peak of memory needs one round only.
 */
import {
  cold,
  growthOf,
  inMilliseconds,
  once,
  slowestBump,
  wallRatio,
  weight,
  worstBump,
} from "./figures.mjs";
import { differenceOf, ratioOf, whyUnsure } from "./harness/statistics.mjs";

/** @typedef {import("./harness/statistics.mjs").Series} Series */
/** @typedef {Record<string, any>} Results What the parts of this run found, by their names. */

/**
 * @typedef {object} Goal
 * @property {string} id
 * @property {string} text
 * @property {string} part The part that has to have run.
 * @property {number} bound
 * @property {"x" | "ms" | "MB" | "s" | "layers" | "errors" | "digests"} unit
 * @property {boolean} [atLeast] The number must not be smaller; else it must not be larger.
 * @property {boolean} [once] It is no timing, so that one round is enough.
 * @property {(found: any) => Series | undefined} series Absent: not measured.
 */

const UMOCI = "umoci + skopeo";

/** @type {readonly Goal[]} */
const GOALS = [
  ratio("1a", "cold build and push, zstd / umoci and skopeo", 0.6, (costs) =>
    cold(costs, "toolbox zstd", UMOCI),
  ),
  ratio("1b", "cold build and push, zstd / buildah", 0.22, (costs) => cold(costs, "toolbox zstd", "buildah")),
  ratio("2a", "cold build and push, gzip level 2 / umoci and skopeo", 0.7, (costs) =>
    cold(costs, "toolbox gzip 2", UMOCI),
  ),
  {
    ...ratio("2b", "bytes of all layers, gzip level 2 / umoci", 1, (costs) =>
      weight(costs, "toolbox gzip 2", UMOCI),
    ),
    once: true,
  },
  ratio("2c", "cold build and push, gzip at its default level 6 / umoci and skopeo", 0.7, (costs) =>
    cold(costs, "toolbox gzip", UMOCI),
  ),
  {
    ...ratio("2d", "bytes of all layers, gzip level 6 / umoci", 1, (costs) =>
      weight(costs, "toolbox gzip", UMOCI),
    ),
    once: true,
  },
  ratio("3", "CPU time of a cold build and push, zstd / umoci and skopeo", 0.65, (costs) =>
    cold(costs, "toolbox zstd", UMOCI, "cpu"),
  ),
  ratio("4a", "one program changed, gzip, slowest position / buildah --timestamp 0", 0.3, (costs) =>
    slowestBump(costs, "buildah"),
  ),
  ratio("4b", "one program changed, gzip, slowest position / mise oci push", 0.8, (costs) =>
    slowestBump(costs, "mise oci"),
  ),
  {
    ...ratio("4c", "layers that change with one program, at any position", 2, (costs) =>
      worstBump(costs, ({ changed }) => changed),
    ),
    unit: "layers",
    once: true,
  },
  {
    ...ratio("4d", "bytes pushed for it, less 100 kB / its layer, at any position", 1.02, (costs) =>
      worstBump(costs, ({ sent, changedBytes }) => (sent - 100_000) / changedBytes),
    ),
    once: true,
  },
  ratio("4e", "one program changed, zstd, slowest position / mise oci push", 0.8, (costs) =>
    slowestBump(costs, "mise oci", "toolbox zstd"),
  ),
  {
    ...ratio("5", "build with nothing changed over `node -e 0`", 60, (costs, found) => {
      const ours = costs["toolbox gzip"]?.["noop build"]?.wall;
      return ours && inMilliseconds(differenceOf(ours, found.start.wall));
    }),
    unit: "ms",
  },
  {
    id: "6",
    text: "digests of one lock, by several users, folders, Node.js, locales and umasks",
    part: "digests",
    bound: 1,
    unit: "digests",
    once: true,
    series: ({ built, distinct }) => (built.length < 2 ? undefined : once(distinct)),
  },
  {
    id: "7a",
    text: "first copy between registries / skopeo",
    part: "registry",
    bound: 1,
    unit: "x",
    series: ({ copy }) => ratioOf(copy.ours.wall, copy.peer.wall),
  },
  {
    id: "7b",
    text: "copy with everything present over `node -e 0`",
    part: "registry",
    bound: 60,
    unit: "ms",
    series: ({ copyAgain, start }) => inMilliseconds(differenceOf(copyAgain.ours.wall, start.wall)),
  },
  {
    ...runPath("8a", "`toolbox CMD` on a warm container / `docker run`", 0.5, (costs) =>
      wallRatio(costs, "toolbox on a warm container"),
    ),
  },
  {
    ...runPath("8b", "a shim over the engine's own command, CPU time", 5, (costs) =>
      inMilliseconds(differenceOf(costs["a shim before it"].cpu, costs["an engine that does nothing"].cpu)),
    ),
    unit: "ms",
  },
  {
    ...runPath("8c", "`toolbox CMD` over `node -e 0` and the engine, CPU time", 25, (costs) =>
      inMilliseconds(
        differenceOf(
          differenceOf(costs["toolbox before it"].cpu, costs["node -e 0"].cpu),
          costs["an engine that does nothing"].cpu,
        ),
      ),
    ),
    unit: "ms",
  },
  runPath("8d", "a shim on bubblewrap / `docker run`", 0.1, (costs) =>
    wallRatio(costs, "a shim on bubblewrap"),
  ),
  runPath("8e", "a shim on plain namespaces / `docker run`", 0.1, (costs) =>
    wallRatio(costs, "a shim on namespaces"),
  ),
  {
    id: "9a",
    text: "a Debian base for this CPU out of the cache / mmdebstrap",
    part: "debian-base",
    bound: 0.15,
    unit: "x",
    series: ({ amd64 }) => amd64 && ratioOf(amd64.ours.wall, amd64.peer.wall),
  },
  {
    id: "9b",
    text: "the same for arm64, under qemu (with --arm64, one round)",
    part: "debian-base",
    bound: 0.02,
    unit: "x",
    once: true,
    series: ({ arm64 }) => arm64 && ratioOf(arm64.ours.wall, arm64.peer.wall),
  },
  {
    id: "10",
    text: "peak memory of a build, whatever the tool's size (up to 4 GiB)",
    part: "memory",
    bound: 200,
    unit: "MB",
    once: true,
    series: ({ points }) => once(Math.max(...points.map((/** @type {any} */ { rss }) => rss)) / 1e6),
  },
  registry("11a", "push into the embedded registry / docker-registry", 1, ({ push }) =>
    ratioOf(push.ours, push.peer),
  ),
  registry("11b", "pull from the embedded registry / docker-registry", 1, ({ pull }) =>
    ratioOf(pull.ours, pull.peer),
  ),
  {
    ...registry("11c", "errors of 64 clients at once", 0, ({ clients }) => once(clients.ours.errors)),
    unit: "errors",
    atLeast: false,
    once: true,
  },
  {
    ...registry("11d", "peak memory of the embedded registry with 64 clients", 200, ({ clients }) =>
      once(clients.ours.rss / 1e6),
    ),
    unit: "MB",
    atLeast: false,
    once: true,
  },
  {
    id: "12a",
    text: "planning 500 tools and 100 images, whole process",
    part: "planning",
    bound: 1,
    unit: "s",
    series: ({ points }) =>
      points.find((/** @type {any} */ { tools, images }) => tools === 500 && images === 100)?.wall,
  },
  {
    id: "12b",
    text: "time for each further tool, 500 to 1000 / 100 to 500 (1: planning grows linearly)",
    part: "planning",
    bound: 1.3,
    unit: "x",
    series: ({ points }) => growthOf(points),
  },
];

/**
 * @typedef {object} Verdict
 * @property {string} id
 * @property {string} text
 * @property {number} bound
 * @property {string} unit
 * @property {boolean} atLeast
 * @property {string} part
 * @property {number | undefined} value Absent: not measured in this run.
 * @property {number | undefined} min
 * @property {number | undefined} max
 * @property {"met" | "missed" | "unsure" | "not measured"} verdict
 * @property {string} [why] Why there is no verdict.
 */

/** @param {Results} results @returns {Verdict[]} */
export function judgeGoals(results) {
  return GOALS.map((goal) => {
    const { id, text, bound, unit, atLeast = false, part } = goal;
    const found = results[part];
    const series = found === undefined ? undefined : goal.series(found);
    const shared = {
      id,
      part,
      text,
      bound,
      unit,
      atLeast,
      value: series?.median,
      min: series?.min,
      max: series?.max,
    };
    if (series === undefined || Number.isNaN(series.median)) return { ...shared, verdict: "not measured" };
    const why = goal.once === true ? undefined : whyUnsure(series, bound);
    if (why !== undefined) return { ...shared, verdict: "unsure", why };
    const isMet = atLeast ? series.median >= bound : series.median <= bound;
    return { ...shared, verdict: isMet ? "met" : "missed" };
  });
}

/** @param {string} id @param {string} text @param {number} bound @param {(costs: any, found: any) => Series | undefined} series @returns {Goal} */
function ratio(id, text, bound, series) {
  return { id, text, part: "images", bound, unit: "x", series: (found) => series(found.costs, found) };
}

/** @param {string} id @param {string} text @param {number} bound @param {(costs: any) => Series | undefined} series @returns {Goal} */
function runPath(id, text, bound, series) {
  return { id, text, part: "run-path", bound, unit: "x", series: ({ costs }) => series(costs) };
}

/** @param {string} id @param {string} text @param {number} bound @param {(found: any) => Series | undefined} series @returns {Goal} */
function registry(id, text, bound, series) {
  return { id, text, part: "registry", bound, unit: "x", atLeast: true, series };
}
