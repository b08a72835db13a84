// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * What does not depend on the machine, in a minute and with content of this machine: layers that change, bytes that are
 * pushed, memory, and how work grows. A guard against regressions, without seconds and without peers.
 */
import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { prepareBase } from "./content/programs.mjs";
import { runRound } from "./harness/round.mjs";
import { measureMemory } from "./parts/memory.mjs";
import { measurePlanning } from "./parts/planning.mjs";
import { toolboxPeer } from "./peers/toolbox.mjs";

const MIB = 1024 * 1024;
const NAMES = Array.from({ length: 8 }, (_, index) => `tool${index}`);
const TOOL_SIZE = 4 * MIB;
/** Requests and their headers, the config, and the manifest and the index. */
const TALK = 100_000;
/** A build without news asks what is there, and says no more. */
const SMALL_TALK = 20_000;
const MOST_MEMORY = 200e6;
const SMALL_TOOL = 8 * MIB;
const LARGE_TOOL = 512 * MIB;
const MEMORY_NOISE = 40e6;
/** Twice the tools may take twice the time, and half as much again for what else the machine does. */
const MOST_GROWTH = 3;

/** @typedef {{ what: string, value: number, bound: number }} Check Met when the value is not larger than the bound. */

/** @param {string} scratch @param {(line: string) => void} [log] @returns {Promise<Check[]>} */
export async function runChecks(scratch, log = () => {}) {
  const context = { scratch, rounds: 3, arm64: false, programs: {}, log };
  return [
    ...(await checkBytes(scratch, log)),
    ...(await checkMemory(context)),
    ...(await checkPlanning(context)),
  ];
}

/** @param {string} scratch @param {(line: string) => void} log @returns {Promise<Check[]>} */
async function checkBytes(scratch, log) {
  const programs = join(scratch, "programs");
  await mkdir(programs);
  for (const [index, name] of NAMES.entries()) await writeTool(join(programs, name), index);
  const peer = toolboxPeer("gzip");
  const base = await prepareBase(scratch);
  const shared = { peers: [peer], scratch, base, programs, names: NAMES, bumps: NAMES };
  const { [peer.name]: steps = {} } = await runRound({ ...shared, round: 0, counts: true, log });
  const of = (/** @type {string} */ name) => ({
    sent: Number.NaN,
    changed: Number.NaN,
    changedBytes: 0,
    ...steps[name],
  });
  return [
    ...NAMES.flatMap((name) => {
      const { changed, changedBytes, sent } = of(`bump ${name}`);
      return [
        { what: `layers that change with ${name}`, value: changed, bound: 2 },
        { what: `bytes pushed when ${name} changes`, value: sent, bound: 1.02 * changedBytes + TALK },
      ];
    }),
    { what: "layers that change with nothing", value: of("noop").changed, bound: 0 },
    { what: "bytes sent when nothing changed", value: of("noop").sent, bound: SMALL_TALK },
  ];
}

/** @param {import("./parts.mjs").PartContext} context @returns {Promise<Check[]>} */
async function checkMemory(context) {
  const { points } = await measureMemory(context, {
    sizes: [SMALL_TOOL, LARGE_TOOL],
    source: (start, end) => createReadStream(process.execPath, { start, end }),
    compressions: ["gzip"],
  });
  const [small = Number.NaN, large = Number.NaN] = points.map(({ rss }) => rss);
  return [
    { what: "peak memory of a build with a tool of 512 MiB", value: large, bound: MOST_MEMORY },
    { what: "the same, over that with a tool of 8 MiB", value: large - small, bound: MEMORY_NOISE },
  ];
}

/** @param {import("./parts.mjs").PartContext} context @returns {Promise<Check[]>} */
async function checkPlanning(context) {
  const { points } = await measurePlanning(
    context,
    [100, 200, 400].map((tools) => ({ tools, images: tools / 5 })),
  );
  const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = points.map(({ cpu }) => cpu.min);
  // Differences, because starting a program takes the same whatever it plans.
  return [
    {
      what: "work of 200 to 400 tools / of 100 to 200",
      value: (third - second) / (second - first),
      bound: MOST_GROWTH * 2,
    },
    { what: "work of 400 tools / of 200", value: third / second, bound: MOST_GROWTH },
  ];
}

/** Part of the Node.js program that runs this: as compressible as programs are. @param {string} file @param {number} part */
async function writeTool(file, part) {
  const source = await open(process.execPath);
  const target = await open(file, "w", 0o755);
  try {
    await target.write("#!/bin/sh\n");
    const buffer = Buffer.alloc(TOOL_SIZE);
    const { bytesRead } = await source.read(buffer, 0, TOOL_SIZE, (part + 1) * TOOL_SIZE);
    await target.write(buffer.subarray(0, bytesRead));
  } finally {
    await source.close();
    await target.close();
  }
}
