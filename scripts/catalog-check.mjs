// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Tries tools of the catalog for real: locks each, builds it for both CPUs, asks it for its version and runs the tests
 * of its definition, with the embedded runner (by qemu on the foreign CPU; "not run" where there is none). What came of
 * it goes to catalog/checked.json and docs/catalog.md after each tool, so a run that was stopped loses nothing.
 *
 * usage: node scripts/catalog-check.mjs [--changed] [--lock-only] [--platform OS/CPU] [--json] [TOOL...]
 *   TOOL         default: all
 *   --changed    leave out what passed with the same definition, version and source
 *   --lock-only  only resolve versions
 *   --platform   only this one; may be repeated
 *   --json       the result as JSON on stdout instead of a table
 *
 * Exit code 1 when a tool failed. Workspaces and images stay in out/catalog, to be looked at.
 */
import { spawn, spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  digestOf,
  formatRecords,
  isChecked,
  mergeRecord,
  PLATFORMS,
  readDefinitions,
  readRecords,
} from "./catalog-records.mjs";
import { judgeChecks, layerSizes, renderResults, workspaceText } from "./catalog-results.mjs";

/** @typedef {import("./catalog-records.mjs").Definition} Definition */
/** @typedef {import("./catalog-records.mjs").Pass} Pass */
/** @typedef {import("./catalog-results.mjs").ToolResult} ToolResult */
/** @typedef {import("./catalog-results.mjs").PlatformState} PlatformState */

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const RECORDS = join(ROOT, "catalog", "checked.json");
const WORK = join(ROOT, "out", "catalog");

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    changed: { type: "boolean", default: false },
    "lock-only": { type: "boolean", default: false },
    platform: { type: "string", multiple: true, default: PLATFORMS },
    json: { type: "boolean", default: false },
  },
});
process.exitCode = await main();

async function main() {
  const definitions = await readDefinitions(join(ROOT, "catalog"));
  const unknown = positionals.find((name) => !definitions.some((each) => each.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`the catalog has no tool "${unknown}"\n`);
    return 2;
  }
  const chosen = definitions.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const folder = await mkdtemp(join(tmpdir(), "toolbox-catalog-"));
  try {
    const baseLock = await lockBase(folder);
    const results = [];
    for (const definition of chosen) {
      process.stderr.write(`\n== ${definition.name} (${results.length + 1} of ${chosen.length})\n`);
      const result = await checkTool(definition, baseLock);
      results.push(result);
      process.stderr.write(renderResults([result]));
    }
    process.stdout.write(
      options.json ? `${JSON.stringify(results, null, 2)}\n` : `\n${renderResults(results)}`,
    );
    return results.some(({ state }) => state === "failed") ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Locks the base once: all tools stand on the same one, which is then built once.
 *
 * @param {string} folder
 */
async function lockBase(folder) {
  await writeFile(join(folder, "toolbox.yaml"), workspaceText());
  const { error } = await toolbox(folder, ["lock", "--no-frozen"]);
  if (error !== undefined) throw new Error(`the base cannot be locked: ${error}`);
  return join(folder, "toolbox.lock");
}

/**
 * @param {Definition} definition
 * @param {string} baseLock
 * @returns {Promise<ToolResult>}
 */
async function checkTool(definition, baseLock) {
  const { name } = definition;
  const folder = join(WORK, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "toolbox.yaml"), workspaceText(name));
  await copyFile(baseLock, join(folder, "toolbox.lock"));
  const locking = await toolbox(folder, ["lock", "--no-frozen"]);
  if (locking.error !== undefined) return { name, state: "failed", step: "lock", error: locking.error };
  const now = { definition: digestOf(definition), ...(await readLocked(folder, name)) };
  const { version, source } = now;
  const known = (await readRecords(RECORDS))[name];
  if (options.changed && isChecked(known, now, options.platform))
    return { name, state: "unchanged", version, source };
  if (options["lock-only"]) {
    await record(name, now, {});
    return { name, state: "locked", version, source };
  }
  const result = { name, version, source, ...(await buildAndTest(folder)) };
  const today = new Date().toISOString().slice(0, 10);
  const passed = Object.entries(result.platforms ?? {}).filter(([, { state }]) => state === "passed");
  await record(
    name,
    now,
    Object.fromEntries(passed.map(([key, { size }]) => [key, { size, passed: today }])),
  );
  return result;
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {Promise<{ version: string, source: string }>}
 */
async function readLocked(folder, name) {
  const lock = JSON.parse(await readFile(join(folder, "toolbox.lock"), "utf8"));
  const { version, platforms } = lock.tools[name];
  return { version, source: platforms[PLATFORMS[0] ?? ""].source };
}

/**
 * @param {string} folder
 * @returns {Promise<{ state: "passed" | "failed" | "not run", step?: string, error?: string, platforms?: Record<string, PlatformState> }>}
 */
async function buildAndTest(folder) {
  const wanted = options.platform.flatMap((platform) => ["--platform", platform]);
  const building = await toolbox(folder, ["build", "--frozen", ...wanted]);
  if (building.error !== undefined) return { state: "failed", step: "build", error: building.error };
  const testing = await toolbox(folder, ["test", "--engine", "embedded", ...wanted]);
  await removeUnpacked(building.answer);
  if (testing.error !== undefined) return { state: "failed", step: "test", error: testing.error };
  return judgeChecks(testing.answer, layerSizes(building.answer), options.platform);
}

/**
 * Half a gigabyte for each tool, which the embedded runner unpacks again from the store when it is asked to.
 *
 * @param {{ images: { platforms: { manifest: { digest: string } }[] }[] }} answer
 */
async function removeUnpacked({ images }) {
  for (const { manifest } of images.flatMap(({ platforms }) => platforms)) {
    const name = manifest.digest.replace(/^sha256:/, "");
    await rm(join(WORK, "rootfs", name), { recursive: true, force: true });
  }
}

/**
 * Runs a verb to its end. Its progress goes to our stderr.
 *
 * @param {string} folder
 * @param {string[]} args
 * @returns {Promise<{ answer: any, error?: undefined } | { error: string, answer?: undefined }>}
 */
async function toolbox(folder, args) {
  const words = [join(ROOT, "dist", "cli", "main.js"), "-C", folder, ...args, "--json", "--quiet"];
  const child = spawn(process.execPath, words, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TOOLBOX_STORE: join(WORK, "store") },
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part) => (text += part));
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  const answer = text === "" ? {} : JSON.parse(text);
  if (answer.error !== undefined) return { error: `${answer.error.message} [${answer.error.code}]` };
  // `toolbox test` ends with 1 when a check failed; which one stands in its answer.
  if (code !== 0 && answer.results === undefined) return { error: `toolbox ${args[0]} ended with ${code}` };
  return { answer };
}

/**
 * Keeps what a run came to. The file is read again, so that other tools may be checked at the same time.
 *
 * @param {string} name
 * @param {Omit<import("./catalog-records.mjs").Checked, "platforms">} now
 * @param {Record<string, Pass>} passes
 */
async function record(name, now, passes) {
  const records = await readRecords(RECORDS);
  const temporary = `${RECORDS}.${process.pid}`;
  await writeFile(temporary, formatRecords({ ...records, [name]: mergeRecord(records[name], now, passes) }));
  await rename(temporary, RECORDS);
  spawnSync(process.execPath, [join(ROOT, "scripts", "write-catalog-table.mjs")], { stdio: "inherit" });
}
