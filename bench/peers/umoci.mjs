// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BASE_TAG, REPOSITORY } from "../content/programs.mjs";
import { firstLine } from "../harness/machine.mjs";

/** @type {import("../harness/round.mjs").Peer} */
export const umociPeer = {
  name: "umoci + skopeo",
  about: "skopeo copy of the base to a layout, umoci insert for each program, skopeo copy to the registry",
  version: () => {
    const [umoci, skopeo] = [firstLine("umoci", ["--version"]), firstLine("skopeo", ["--version"])];
    return umoci && skopeo && `${umoci}, ${skopeo}`;
  },
  rebuildsAll: true,
  prepare: async ({ folder }) => rm(join(folder, "layout"), { recursive: true, force: true }),
  build: async ({ folder, names, host }, tag) => {
    const layout = join(folder, "layout");
    await rm(layout, { recursive: true, force: true });
    const image = `${layout}:${tag}`;
    return [
      skopeo("--src-tls-verify=false", `docker://${host}/${REPOSITORY}:${BASE_TAG}`, `oci:${image}`),
      ...names.map((name) => ({
        argv: ["umoci", "insert", "--image", image, join(folder, "tools", name), `/usr/local/bin/${name}`],
      })),
      skopeo("--dest-tls-verify=false", `oci:${image}`, `docker://${host}/${REPOSITORY}:${tag}`),
    ];
  },
};

/** @param {...string} args */
function skopeo(...args) {
  return { argv: ["skopeo", "copy", "--quiet", ...args] };
}
