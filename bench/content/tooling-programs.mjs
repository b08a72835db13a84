// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** The very Go programs that `tooling-k8s` of this repository holds. */
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { outputOf, TOOLBOX } from "../harness/processes.mjs";
import { hostPlatform } from "./programs.mjs";

/** Where tools are that are one file. jq comes from Debian, with libraries, and nobody else could be handed those. */
const BINARIES = "usr/local/bin";
const IMAGES = join(import.meta.dirname, "..", "..", "images");

/**
 * Takes them out of the image. Absent when some have yet to be compiled: that takes far longer than all else here.
 *
 * @param {string} scratch
 * @returns {Promise<{ folder: string, names: readonly string[], bytes: number } | undefined>} One file for each name.
 */
export async function prepareToolingPrograms(scratch) {
  const build = [TOOLBOX, "-C", IMAGES, "build", "--frozen", "--image", "tooling-k8s"];
  const own = ["--platform", hostPlatform(), "--json", "--quiet"];
  const plan = JSON.parse(await outputOf(process.execPath, [...build, ...own, "--dry-run"]));
  // The one on top is made anew each time.
  if (!layersOf(plan).every((/** @type {any} */ { kind, cached }) => cached || kind === "top"))
    return undefined;

  const layout = join(scratch, "tooling-layout");
  const report = JSON.parse(
    await outputOf(process.execPath, [...build, ...own, "--output", `oci:${layout}`]),
  );
  const tree = join(scratch, "tooling-tree");
  await mkdir(tree);
  const folder = join(tree, "usr", "local", "bin");
  for (const { kind, digest } of layersOf(report)) {
    const blob = join(layout, "blobs", digest.replace(":", "/"));
    if (kind === "tool" && (await outputOf("tar", ["-tf", blob])).includes(BINARIES))
      await outputOf("tar", ["-xf", blob, "-C", tree, BINARIES]);
  }
  const names = (await readdir(folder)).toSorted();
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return { folder, names, bytes: sizes.reduce((a, b) => a + b, 0) };
}

/** @param {any} report Of one image and one platform. */
function layersOf(report) {
  return report.images[0].platforms[0].layers;
}
