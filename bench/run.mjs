// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * `npm run bench -- [NAME]...`: measures against the peers, prints the ratios and writes bench/results.json.
 * What was measured before under another name is kept there. NAME: registry. Default: all.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { benchRegistry } from "./registry.mjs";

/** @type {Record<string, (scratch: string) => Promise<Record<string, unknown>>>} */
const BENCHES = { registry: benchRegistry };
const RESULTS = join(import.meta.dirname, "results.json");

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BENCHES);
/** @type {Record<string, unknown>} */
const results = JSON.parse(await readFile(RESULTS, "utf8").catch(() => "{}"));
for (const name of names) {
  const bench = BENCHES[name];
  if (bench === undefined) {
    console.error(`"${name}" is not a bench; choose from: ${Object.keys(BENCHES).join(", ")}`);
    process.exitCode = 2;
    break;
  }
  const scratch = await mkdtemp(join(tmpdir(), "toolbox-bench-"));
  try {
    const [load = 0] = loadavg();
    const machine = {
      date: new Date().toISOString().slice(0, 10),
      cpus: cpus().length,
      node: process.version,
      load,
    };
    results[name] = { machine, peers: peerVersions(), ...(await bench(scratch)) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);

function peerVersions() {
  return { skopeo: versionOf("skopeo"), dockerRegistry: versionOf("docker-registry") };
}

/** @param {string} program */
function versionOf(program) {
  return spawnSync(program, ["--version"], { encoding: "utf8" }).stdout.split("\n")[0];
}
