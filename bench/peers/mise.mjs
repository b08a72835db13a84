// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, join } from "node:path";
import { BASE_TAG, REPOSITORY } from "../content/programs.mjs";
import { firstLine } from "../harness/machine.mjs";
import { outputOf } from "../harness/processes.mjs";

/** @typedef {import("../harness/round.mjs").Place} Place */

const STATE = ["data", "cache", "state", "config"];

/**
 * mise, whose tools come from a server on loopback. Installing them is not measured, which is to its advantage: ours
 * reads the files as part of its build.
 *
 * @param {string} program Path of mise. @returns {import("../harness/round.mjs").Peer}
 */
export function misePeer(program) {
  return {
    name: "mise oci",
    about: "mise oci push --no-mise, tools of the kind `http:`; installing them beforehand is not measured",
    version: () => firstLine(program, ["--version"]),
    prepare: async ({ folder }) => {
      for (const name of [...STATE, "mise.toml", "v0"])
        await rm(join(folder, name), { recursive: true, force: true });
    },
    build: async (place, tag) => {
      const { folder, host } = place;
      const env = environmentOf(folder);
      await install(program, place, env);
      const image = `${host}/${REPOSITORY}`;
      const cached = tag === "v0" ? [] : ["--cache-from", `${image}:v0`];
      const argv = [program, "oci", "push", "--no-mise", "--quiet", ...cached, `${image}:${tag}`];
      return [{ argv, cwd: folder, env }];
    },
  };
}

/**
 * A version for each content, so that a changed program is a new version.
 *
 * @param {string} program @param {Place} place @param {Readonly<Record<string, string>>} env
 */
async function install(program, { folder, names, host }, env) {
  const server = createServer((request, answer) => {
    createReadStream(join(folder, "tools", basename(request.url ?? ""))).pipe(answer);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const tools = await Promise.all(
      names.map(async (name) => {
        const { size } = await stat(join(folder, "tools", name));
        const url = `http://127.0.0.1:${address.port}/${name}`;
        return `"http:${name}" = { version = "1.0.${size}", url = "${url}", bin = "${name}" }`;
      }),
    );
    const from = `from = "${host}/${REPOSITORY}:${BASE_TAG}"`;
    const text = ["[settings]", "experimental = true", "[oci]", from, "[tools]", ...tools, ""].join("\n");
    await writeFile(join(folder, "mise.toml"), text);
    await outputOf(program, ["install"], { cwd: folder, env });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** @param {string} folder */
function environmentOf(folder) {
  const places = STATE.map((name) => [`MISE_${name.toUpperCase()}_DIR`, join(folder, name)]);
  return {
    ...Object.fromEntries(places),
    MISE_EXPERIMENTAL: "1",
    MISE_TRUSTED_CONFIG_PATHS: folder,
    MISE_YES: "1",
  };
}
