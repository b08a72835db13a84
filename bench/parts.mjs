// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** The parts of the bench, in the order in which they run; each loads when it runs. */

/**
 * What a part of the bench works with.
 *
 * @typedef {object} PartContext
 * @property {string} scratch An empty folder on a disk, removed afterwards.
 * @property {number} rounds Timed rounds.
 * @property {boolean} arm64 Also what takes ten minutes under qemu.
 * @property {Readonly<Record<string, string>>} programs Paths of programs that are not on PATH, by name.
 * @property {(line: string) => void} log
 */

/**
 * @typedef {object} Part
 * @property {string} about
 * @property {(context: PartContext) => Promise<Record<string, unknown>>} run
 */

/** @type {Readonly<Record<string, Part>>} */
export const PARTS = {
  images: {
    about: "eight programs into an image: cold, one changed at each position, nothing changed (goals 1 to 5)",
    run: async (context) => (await import("./parts/images.mjs")).measureImages(context),
  },
  "tooling-k8s": {
    about: "the programs of tooling-k8s into an image, cold; needs them compiled (npm run images)",
    run: async (context) => (await import("./parts/images.mjs")).measureToolingImage(context),
  },
  registry: {
    about: "the embedded registry and copies (goals 7 and 11)",
    run: async (context) => (await import("./parts/registry.mjs")).measureRegistry(context),
  },
  "run-path": {
    about: "what a command costs to run (goal 8)",
    run: async (context) => (await import("./parts/run-path.mjs")).measureRunPath(context),
  },
  planning: {
    about: "plan time against the size of the workspace (goal 12)",
    run: async (context) => (await import("./parts/planning.mjs")).measurePlanning(context),
  },
  memory: {
    about: "peak memory and time against the size of a tool (goal 10)",
    run: async (context) => (await import("./parts/memory.mjs")).measureMemory(context),
  },
  digests: {
    about: "the same digests by other users, folders and Node.js versions (goal 6)",
    run: async (context) => (await import("./parts/digests.mjs")).measureDigests(context),
  },
  "debian-base": {
    about: "a Debian base against mmdebstrap (goal 9)",
    run: async (context) => (await import("./parts/debian-base.mjs")).measureDebianBase(context),
  },
  engines: {
    about: "docker's builders, BuildKit with COPY --link, podman; one round",
    run: async (context) => (await import("./parts/engines.mjs")).measureEngines(context),
  },
  "layer-order": {
    about: "bytes that a year of updates moves, by the order of layers: simulated, and pulled by docker",
    run: async (context) => (await import("./parts/layer-order.mjs")).measureLayerOrder(context),
  },
};
