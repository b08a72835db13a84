// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Goal 10, and growth with the size of a tool: the peak memory and the time of a build with one tool of a given size. */
import { createReadStream, createWriteStream } from "node:fs";
import { link, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { hostPlatform, NAMES, preparePrograms } from "../content/programs.mjs";
import { measureSteps } from "../harness/measure.mjs";
import { outputOf, TOOLBOX } from "../harness/processes.mjs";

const MIB = 1024 * 1024;
const SIZES = [1, 16, 128, 512, 2048, 4096].map((size) => size * MIB);
/** Takes 90 s with gzip and shows nothing that half of it does not. */
const LARGEST_GZIP = 2048 * MIB;

/**
 * @typedef {{ size: number, compression: string, wall: number, cpu: number, rss: number }} SizePoint
 */

/**
 * @typedef {object} MemoryOptions
 * @property {readonly number[]} sizes
 * @property {readonly string[]} compressions
 * @property {(start: number, end: number) => AsyncIterable<Buffer>} source Content; it is repeated when it ends.
 */

/** @param {import("../parts.mjs").PartContext} context @param {MemoryOptions} [options] */
export async function measureMemory({ scratch, log }, options) {
  const { sizes, compressions, source } = options ?? {
    sizes: SIZES,
    compressions: ["gzip", "zstd"],
    source: await readPrograms(),
  };
  /** @type {SizePoint[]} */
  const points = [];
  const tool = join(scratch, "tool");
  await writeTool(tool, source, MIB);
  // Makes the base; what is measured is the tool.
  for (const compression of compressions) await buildOne(scratch, tool, compression);
  await rm(tool);
  for (const size of sizes) {
    await writeTool(tool, source, size);
    for (const compression of compressions) {
      if (compression === "gzip" && size > LARGEST_GZIP) continue;
      const cost = await buildOne(scratch, tool, compression);
      points.push({ size, compression, ...cost });
      log(
        `${size / MIB} MiB, ${compression}: ${cost.wall.toFixed(1)} s, peak ${(cost.rss / 1e6).toFixed(0)} MB`,
      );
    }
    await rm(tool);
  }
  return { points };
}

/** The programs one after the other. @returns {Promise<MemoryOptions["source"]>} */
async function readPrograms() {
  const { folder } = await preparePrograms();
  return async function* (start, end) {
    let at = 0;
    for (const name of NAMES) {
      const { size } = await stat(join(folder, name));
      const [from, to] = [Math.max(start - at, 0), Math.min(end - at, size - 1)];
      if (from <= to) yield* createReadStream(join(folder, name), { start: from, end: to });
      at += size;
    }
  };
}

/** @param {string} file @param {MemoryOptions["source"]} source @param {number} size */
async function writeTool(file, source, size) {
  const output = createWriteStream(file, { mode: 0o755 });
  await pipeline(async function* () {
    for (let left = size; left > 0;) {
      for await (const chunk of source(0, left - 1)) {
        left -= chunk.length;
        yield chunk;
      }
    }
  }, output);
}

/** A workspace with one tool, on a base that is in the store once it was built. @param {string} scratch @param {string} tool @param {string} compression */
async function buildOne(scratch, tool, compression) {
  const folder = join(scratch, "workspace");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await link(tool, join(folder, "tool"));
  await writeFile(
    join(folder, "toolbox.yaml"),
    [
      `platforms: [${hostPlatform()}]`,
      `compression: ${compression}`,
      "base: { debian: trixie, packages: [bash] }",
      "tools: { tool: { source: file, path: ./tool, summary: A program } }",
      "images: { image: { tools: [tool] } }",
      "",
    ].join("\n"),
  );
  const env = { TOOLBOX_STORE: join(scratch, "store") };
  // Locking reads the suite's whole list of packages, which has nothing to do with the size of a tool.
  await outputOf(process.execPath, [TOOLBOX, "lock", "--no-progress"], { cwd: folder, env });
  const argv = [process.execPath, TOOLBOX, "build", "--frozen", "--no-progress"];
  const build = { argv, cwd: folder, env };
  return await measureSteps([build]);
}
