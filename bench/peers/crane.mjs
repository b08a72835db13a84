// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BASE_TAG, REPOSITORY } from "../content/programs.mjs";
import { firstLine } from "../harness/machine.mjs";

/** @param {string} program Path of crane. @returns {import("../harness/round.mjs").Peer} */
export function cranePeer(program) {
  return {
    name: "tar + crane append",
    about: "tar for each program, then one crane append on the base in the registry",
    version: () => {
      const found = firstLine(program, ["version"]);
      return found && `crane ${found}`;
    },
    rebuildsAll: true,
    prepare: async ({ folder }) => {
      await rm(join(folder, "layers"), { recursive: true, force: true });
      await mkdir(join(folder, "layers"), { recursive: true });
    },
    build: ({ folder, names, host }, tag) => {
      const layer = (/** @type {string} */ name) => join(folder, "layers", `${name}.tar`);
      const owner = ["--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--mode=755"];
      const base = ["--base", `${host}/${REPOSITORY}:${BASE_TAG}`];
      const target = ["--new_tag", `${host}/${REPOSITORY}:${tag}`];
      return [
        ...names.map((name) => ({
          argv: [
            "tar",
            ...owner,
            "--transform=s,^,usr/local/bin/,",
            "-C",
            join(folder, "tools"),
            "-cf",
            layer(name),
            name,
          ],
        })),
        {
          argv: [
            program,
            "append",
            "--insecure",
            ...base,
            ...target,
            ...names.flatMap((name) => ["--new_layer", layer(name)]),
          ],
        },
      ];
    },
  };
}
