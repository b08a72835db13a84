// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Writes what results.json says as a page, as pictures and into README.md. */
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { drawPlots } from "./plots.mjs";
import { formatPage } from "./page.mjs";
import { formatGoals, replaceGoals } from "./readme.mjs";

/** Twice as many pixels as the plot has, for screens that show it so. */
const ZOOM = "1.5";

/** @param {import("./readme.mjs").ResultsFile} results @param {string} folder `bench/` */
export async function writeReport(results, folder) {
  const plots = drawPlots(results);
  await writeFile(join(folder, "report.html"), formatPage(results, plots));
  const shown = plots.filter(({ inReadme }) => inReadme === true);
  await mkdir(join(folder, "plots"), { recursive: true });
  for (const { name, svg } of shown) writePicture(join(folder, "plots", `${name}.png`), svg);
  const readme = join(dirname(folder), "README.md");
  const goals = formatGoals(
    results,
    shown.map(({ name }) => name),
  );
  await writeFile(readme, replaceGoals(await readFile(readme, "utf8"), goals));
}

/** Without the program that draws them, pictures stay as they were. @param {string} file @param {string} svg */
function writePicture(file, svg) {
  const args = ["--zoom", ZOOM, "--background-color", "white", "--output", file];
  const { status, error } = spawnSync("rsvg-convert", args, { input: svg });
  if (status !== 0)
    console.error(`${file} is not drawn: ${error?.message ?? `rsvg-convert ended with ${status}`}`);
}
