// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Which order of layers moves the least on engines that know a layer by all that lies under it: a year of weekly updates
 * of twenty tools as a simulation, and some weeks of it pulled by a real docker.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hostPlatform } from "../content/programs.mjs";
import { serveCountingProxy } from "../harness/counting-proxy.mjs";
import { startDockerDaemon } from "../harness/docker-daemon.mjs";
import { firstLine } from "../harness/machine.mjs";
import { outputOf, TOOLBOX } from "../harness/processes.mjs";
import { serveToolbox } from "../harness/registries.mjs";
import { summarise } from "../harness/statistics.mjs";
import { inventHistory, ORDERS, pullBytes } from "./layer-history.mjs";

/** @typedef {import("./layer-history.mjs").Tool} Tool */
/** @typedef {import("../parts.mjs").PartContext} PartContext */

const YEARS = 200;
const WEEKS = 52;
/** Weeks that docker pulls. */
const PULLED_WEEKS = 12;
/** Layers that docker pulls are smaller by this: only how they lie on each other counts. */
const SCALE = 20;
const RATES = join(import.meta.dirname, "..", "content", "release-rates.json");

/** @param {PartContext} context */
export async function measureLayerOrder(context) {
  const tools = await readTools();
  const simulated = Object.fromEntries(
    Object.entries(ORDERS).map(([name, order]) => [name, simulate(tools, order)]),
  );
  for (const [name, { chain, content }] of Object.entries(simulated))
    context.log(
      `${name}: ${gigabytes(chain.median)} a year by chain, ${gigabytes(content.median)} by content`,
    );
  const all = tools.reduce((total, { bytes }) => total + bytes, 0);
  return { tools, imageBytes: all, years: YEARS, simulated, pulled: await pullWithDocker(tools, context) };
}

/** @returns {Promise<Tool[]>} */
async function readTools() {
  const { tools } = JSON.parse(await readFile(RATES, "utf8"));
  return Object.entries(tools).map(([name, { megabytes, perYear }]) => ({
    name,
    bytes: megabytes * 1e6,
    perYear,
  }));
}

/** @param {readonly Tool[]} tools @param {import("./layer-history.mjs").Order} order */
function simulate(tools, order) {
  const years = Array.from({ length: YEARS }, (_, seed) =>
    pullBytes(tools, inventHistory(tools, WEEKS, seed), order, seed),
  );
  const { rounds: _chain, ...chain } = summarise(years.map((year) => year.chain));
  const { rounds: _content, ...content } = summarise(years.map((year) => year.content));
  return { chain, content };
}

/**
 * The same weeks twice: with the order that the lock's times give, and with all times equal, which is alphabetical.
 *
 * @param {readonly Tool[]} real @param {PartContext} context
 */
async function pullWithDocker(real, { scratch, log }) {
  const tools = real.map((tool) => ({ ...tool, bytes: Math.round(tool.bytes / SCALE) }));
  const history = inventHistory(tools, PULLED_WEEKS, 1).filter((week) => week.length > 0);
  await mkdir(join(scratch, "docker"));
  const daemon = await startDockerDaemon(join(scratch, "docker"));
  if (daemon === undefined) {
    log("no docker daemon starts here: nothing is pulled");
    return undefined;
  }
  const registry = await serveToolbox(join(scratch, "registry"));
  const proxy = await serveCountingProxy(registry.host);
  try {
    /** @type {Record<string, { bytes: number, expected: number }>} */
    const pulled = {};
    for (const name of ["alphabetical", "least recently changed first"]) {
      const order = ORDERS[name];
      if (order === undefined) continue;
      const place = { scratch, folder: join(scratch, `pull-${name.slice(0, 5)}`), proxy, daemon };
      const bytes = await pullWeeks(tools, history, { ...place, moves: order.move !== undefined });
      pulled[name] = { bytes, expected: pullBytes(tools, history, order, 1).chain };
      log(
        `${name}: docker fetched ${(bytes / 1e6).toFixed(1)} MB, ${(pulled[name].expected / 1e6).toFixed(1)} expected`,
      );
    }
    return {
      docker: firstLine("dockerd", ["--version"]),
      weeks: history.length,
      scale: SCALE,
      orders: pulled,
    };
  } finally {
    await proxy.stop();
    await registry.stop();
    await daemon.stop();
  }
}

/**
 * @param {readonly Tool[]} tools @param {readonly (readonly string[])[]} history
 * @param {{ scratch: string, folder: string, moves: boolean, proxy: import("../harness/counting-proxy.mjs").CountingProxy, daemon: import("../harness/docker-daemon.mjs").DockerDaemon }} place
 * @returns {Promise<number>} Bytes that docker fetched, without the first pull.
 */
async function pullWeeks(tools, history, { scratch, folder, moves, proxy, daemon }) {
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(folder, "toolbox.yaml"), workspaceOf(tools));
  const renew = async (/** @type {Tool} */ { name, bytes }) => writeFile(join(bin, name), randomBytes(bytes));
  for (const tool of tools) await renew(tool);
  const env = { TOOLBOX_STORE: join(scratch, "store"), XDG_STATE_HOME: join(scratch, "state") };
  const toolbox = async (/** @type {string[]} */ ...args) =>
    outputOf(process.execPath, [TOOLBOX, ...args], { cwd: folder, env });
  /** @type {Map<string, number>} */
  const changed = new Map(tools.map(({ name }) => [name, 0]));
  let fetched = 0;
  for (const [week, names] of [[], ...history].entries()) {
    for (const tool of tools.filter(({ name }) => names.includes(name))) await renew(tool);
    for (const name of names) changed.set(name, moves ? week : 0);
    await toolbox("lock", "--no-progress");
    await setTimes(join(folder, "toolbox.lock"), changed);
    await toolbox("build", "--frozen", "--no-progress");
    const tag = `${moves ? "moving" : "fixed"}-${week}`;
    await toolbox("publish", "--no-progress", "--to", `${proxy.host}/order`, "--tag", tag);
    proxy.take();
    const image = `${proxy.host}/order/image:${tag}`;
    await outputOf(daemon.client, ["pull", "--quiet", image], { env: { DOCKER_HOST: daemon.host } });
    const { received } = proxy.take();
    if (week > 0) fetched += received;
  }
  return fetched;
}

/** @param {readonly Tool[]} tools */
function workspaceOf(tools) {
  const names = tools.map(({ name }) => name);
  return [
    `platforms: [${hostPlatform()}]`,
    "base: { debian: trixie, packages: [bash] }",
    "tools:",
    ...names.map((name) => `  ${name}: { source: file, path: ./bin/${name}, summary: A tool }`),
    `images: { image: { tools: [${names.join(", ")}] } }`,
    "",
  ].join("\n");
}

/** When each tool was last changed, as if weeks had passed. @param {string} file @param {ReadonlyMap<string, number>} weeks */
async function setTimes(file, weeks) {
  const lock = JSON.parse(await readFile(file, "utf8"));
  for (const [name, week] of weeks)
    lock.tools[name].changed = new Date(Date.UTC(2026, 0, 1 + 7 * week)).toISOString().replace(".000Z", "Z");
  await writeFile(file, JSON.stringify(lock));
}

/** @param {number} bytes */
function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
