// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BASE_TAG, hostPlatform, REPOSITORY } from "../content/programs.mjs";
import { firstLine } from "../harness/machine.mjs";
import { TOOLBOX } from "../harness/processes.mjs";

/** @typedef {import("../harness/round.mjs").Place} Place */

/** Below umoci's bytes, by as little as a level allows. */
export const FAST_GZIP = "gzip 2";

/** Ours. @param {"gzip" | "zstd" | typeof FAST_GZIP} compression @returns {import("../harness/round.mjs").Peer} */
export function toolboxPeer(compression) {
  return {
    name: `toolbox ${compression}`,
    about: "toolbox build --push, tools of the kind `file`, from an empty store and cache and no lock",
    version: () => firstLine(process.execPath, [TOOLBOX, "--version"]),
    prepare: async (place) => {
      for (const name of ["store", "cache", "state", "toolbox.lock"])
        await rm(join(place.folder, name), { recursive: true, force: true });
      await writeFile(join(place.folder, "toolbox.yaml"), workspaceOf(place, compression));
    },
    build: (place, tag) => [toolbox(place, ["build", "--no-progress", "--push", "--tag", tag])],
    buildAlone: (place) => [toolbox(place, ["build", "--no-progress", "--frozen"])],
  };
}

/** @param {Place} place @param {string} compression */
function workspaceOf({ names, host }, compression) {
  const [path, image] = REPOSITORY.split("/");
  const tools = names.map((name) => `  ${name}: { source: file, path: ./tools/${name}, summary: A program }`);
  return [
    `registry: ${host}/${path}`,
    `platforms: [${hostPlatform()}]`,
    `compression: ${compression === FAST_GZIP ? "{ algorithm: gzip, level: 2 }" : compression}`,
    `base: { image: "${host}/${REPOSITORY}:${BASE_TAG}" }`,
    "tools:",
    ...tools,
    `images: { ${image}: { tools: [${names.join(", ")}] } }`,
    "",
  ].join("\n");
}

/** @param {Place} place @param {readonly string[]} args @returns {import("../harness/round.mjs").Step} */
function toolbox({ folder }, args) {
  const env = {
    TOOLBOX_STORE: join(folder, "store"),
    TOOLBOX_CACHE: join(folder, "cache"),
    XDG_STATE_HOME: join(folder, "state"),
  };
  return { argv: [process.execPath, TOOLBOX, ...args], cwd: folder, env };
}
