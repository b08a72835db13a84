// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Goal 12, and growth with the size of a workspace: `toolbox build --dry-run` of many tools and images, whole process. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureSteps } from "../harness/measure.mjs";
import { outputOf, TOOLBOX } from "../harness/processes.mjs";
import { summarise } from "../harness/statistics.mjs";

/** @typedef {{ tools: number, images: number, wall: number[], cpu: number[], rss: number[] }} Seen */

/** Tools of an image; neighbours share all but a few of them. */
const TOOLS_OF_IMAGE = 25;
const BY_TOOLS = [10, 50, 100, 200, 500, 1000].map((tools) => ({ tools, images: Math.ceil(tools / 5) }));
const BY_IMAGES = [1, 25, 50, 100, 200].map((images) => ({ tools: 200, images }));
export const WORKSPACES = [...BY_TOOLS, ...BY_IMAGES];

/**
 * @param {import("../parts.mjs").PartContext} context
 * @param {readonly { tools: number, images: number }[]} [workspaces]
 */
export async function measurePlanning({ scratch, rounds, log }, workspaces = WORKSPACES) {
  const env = { TOOLBOX_STORE: join(scratch, "store") };
  for (const each of workspaces) await prepare(join(scratch, nameOf(each)), each, env);
  const seen = workspaces.map((each) => ({ ...each, wall: [], cpu: [], rss: [] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const one of /** @type {Seen[]} */ (seen)) {
      const argv = [process.execPath, TOOLBOX, "build", "--dry-run", "--frozen", "--json"];
      const cost = await measureSteps([{ argv, cwd: join(scratch, nameOf(one)), env }]);
      for (const figure of /** @type {const} */ (["wall", "cpu", "rss"])) one[figure].push(cost[figure]);
    }
  }
  const points = seen.map(({ tools, images, wall, cpu, rss }) => ({
    tools,
    images,
    wall: summarise(wall),
    cpu: summarise(cpu),
    rss: summarise(rss),
  }));
  for (const { tools, images, wall } of points)
    log(`${tools} tools, ${images} images: planned in ${wall.median.toFixed(3)} s`);
  return { points };
}

/** @param {{ tools: number, images: number }} workspace */
function nameOf({ tools, images }) {
  return `plan-${tools}-${images}`;
}

/** Writes and locks a workspace of small files. @param {string} folder @param {{ tools: number, images: number }} size @param {Readonly<Record<string, string>>} env */
async function prepare(folder, { tools, images }, env) {
  await mkdir(join(folder, "bin"), { recursive: true });
  const names = Array.from({ length: tools }, (_, index) => `tool${index}`);
  for (const name of names) await writeFile(join(folder, "bin", name), `#!/bin/sh\necho ${name}\n`);
  const step = tools / images;
  const flavours = Array.from({ length: images }, (_, index) => {
    const start = Math.floor(index * step);
    const chosen = Array.from(
      { length: Math.min(TOOLS_OF_IMAGE, tools) },
      (_, at) => names[(start + at) % tools],
    );
    return `  image${index}: { tools: [${chosen.join(", ")}] }`;
  });
  await writeFile(
    join(folder, "toolbox.yaml"),
    [
      "base: { debian: trixie, packages: [bash] }",
      "tools:",
      ...names.map((name) => `  ${name}: { source: file, path: ./bin/${name}, summary: A tool }`),
      "images:",
      ...flavours,
      "",
    ].join("\n"),
  );
  await outputOf(process.execPath, [TOOLBOX, "lock", "--no-progress"], { cwd: folder, env });
}
