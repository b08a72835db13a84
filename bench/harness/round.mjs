// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * One round of building the same image: cold, then one program changed at each position, then nothing changed. All peers
 * take each step in turn, so that what else the machine does meets all of them.
 */
import { appendFile, cp, mkdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { serveCountingProxy } from "./counting-proxy.mjs";
import { measureSteps } from "./measure.mjs";
import { readLayers, serveDockerRegistry } from "./registries.mjs";
import { REPOSITORY } from "../content/programs.mjs";

/** The step without a push, for who can do that. */
const ALONE = "noop build";

/** @typedef {import("./measure.mjs").Step} Step */

/**
 * Where a peer works in one round.
 *
 * @typedef {object} Place
 * @property {string} folder Its own, empty at the start of a round but for `tools/`, which holds the programs.
 * @property {readonly string[]} names The programs, in the order of the layers.
 * @property {string} host A registry that has the base, and nothing else from this peer.
 */

/**
 * Somebody who puts the same files into an image and pushes it.
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} about What is run, for people.
 * @property {() => string | undefined} version Absent: it cannot be had here.
 * @property {(place: Place) => Promise<void>} prepare Forgets all earlier work. Not measured.
 * @property {(place: Place, tag: string) => Step[] | Promise<Step[]>} build Builds what stands in `tools/` and pushes it.
 *   What it does by itself is not measured, the steps are.
 * @property {(place: Place) => Step[]} [buildAlone] The build without the push, of what is known to be locked.
 * @property {() => readonly number[]} [daemons] Processes that work for it.
 * @property {readonly string[]} [bumps] The programs whose change it is measured with, because it takes long. Absent: all.
 * @property {boolean} [rebuildsAll] It keeps nothing of earlier builds, so that a bump is a cold build once more.
 */
/** @typedef {import("./measure.mjs").Cost} Cost */

/**
 * What one step of one peer came to. `sent` and `received` are bytes between the peer and the registry, known in a
 * round that counts and absent in one that is timed.
 *
 * @typedef {Cost & { sent?: number, received?: number, changed?: number, changedBytes?: number }} StepResult
 */

/** @typedef {Record<string, StepResult>} PeerRound By step: `cold`, `bump NAME`, `noop`, `noop build`. */

/**
 * @typedef {object} RoundOptions
 * @property {readonly Peer[]} peers
 * @property {string} scratch Holds a folder for each peer.
 * @property {string} base Data of a registry that holds the base.
 * @property {string} programs
 * @property {readonly string[]} names
 * @property {readonly string[]} bumps Names of the programs that are changed, one after the other.
 * @property {number} round
 * @property {boolean} [counts] Bytes are counted and nothing is timed.
 * @property {(line: string) => void} log
 */

/** @param {RoundOptions} options @returns {Promise<Record<string, PeerRound>>} By the peer's name. */
export async function runRound(options) {
  /** @type {Desk[]} */
  const desks = [];
  try {
    for (const peer of options.peers) desks.push(await openDesk(peer, options));
    const steps = [
      { name: "cold", tag: "v0" },
      ...options.bumps.map((name) => ({ name: `bump ${name}`, tag: `bump-${name}`, changes: name })),
      { name: "noop", tag: "v0" },
      { name: ALONE, tag: "v0" },
    ];
    for (const step of steps) {
      for (const desk of rotate(desks, options.round)) await takeStep(desk, step, options);
    }
    return Object.fromEntries(desks.map(({ peer, results }) => [peer.name, results]));
  } finally {
    for (const desk of desks) await desk.close();
  }
}

/**
 * A peer at work: its files and its registry.
 *
 * @typedef {object} Desk
 * @property {Peer} peer
 * @property {Place} place
 * @property {string} registry HOST:PORT without a proxy before it.
 * @property {import("./counting-proxy.mjs").CountingProxy | undefined} proxy
 * @property {PeerRound} results
 * @property {() => Promise<void>} close
 */

/** @param {Peer} peer @param {RoundOptions} options @returns {Promise<Desk>} */
async function openDesk(peer, { scratch, base, programs, names, counts }) {
  const folder = join(scratch, "peers", peer.name.replace(/\W+/g, "-"));
  const data = join(folder, "registry");
  await rm(data, { recursive: true, force: true });
  await mkdir(join(folder, "work", "tools"), { recursive: true });
  await cp(base, data, { recursive: true });
  for (const name of names) await restore(programs, join(folder, "work"), name);
  const registry = await serveDockerRegistry(data);
  const proxy = counts === true ? await serveCountingProxy(registry.host) : undefined;
  const place = { folder: join(folder, "work"), names, host: proxy?.host ?? registry.host };
  const close = async () => {
    await proxy?.stop();
    await registry.stop();
    await rm(data, { recursive: true, force: true });
  };
  try {
    await peer.prepare(place);
  } catch (error) {
    await close();
    throw error;
  }
  return { peer, place, registry: registry.host, proxy, results: {}, close };
}

/** @typedef {{ name: string, tag: string, changes?: string }} RoundStep */

/** @param {Desk} desk @param {RoundStep} step @param {RoundOptions} options */
async function takeStep({ peer, place, registry, proxy, results }, step, options) {
  const { name, tag, changes } = step;
  if (!takesPart(peer, step)) return;
  await freshen(place, changes);
  const steps = name === ALONE ? (peer.buildAlone?.(place) ?? []) : await peer.build(place, tag);
  proxy?.take();
  const cost = await measureSteps(steps, peer.daemons?.());
  const moved = proxy?.take();
  options.log(
    `${options.round} ${peer.name}: ${name} ${cost.wall.toFixed(2)} s, CPU ${cost.cpu.toFixed(2)} s`,
  );
  results[name] = { ...cost, ...moved, ...(await changesOf(registry, tag)) };
  if (changes !== undefined) await restore(options.programs, place.folder, changes);
}

/** @param {Peer} peer @param {RoundStep} step */
function takesPart({ rebuildsAll, buildAlone, bumps }, { name, changes }) {
  if (name === ALONE) return buildAlone !== undefined;
  if (changes !== undefined && bumps?.includes(changes) === false) return false;
  return name === "cold" || rebuildsAll !== true;
}

/** One program is another version, and all files look new: content decides, not times. @param {Place} place @param {string | undefined} changes */
async function freshen({ folder, names }, changes) {
  if (changes !== undefined) await appendFile(join(folder, "tools", changes), "another version\n");
  const now = new Date();
  for (const each of names) await utimes(join(folder, "tools", each), now, now);
}

/** How many layers differ from those of the first build, and what they weigh. @param {string} host @param {string} tag */
async function changesOf(host, tag) {
  const [first, now] = await Promise.all(["v0", tag].map((name) => readLayers(host, REPOSITORY, name)));
  const known = new Set((first ?? []).map(({ digest }) => digest));
  const changed = (now ?? []).filter(({ digest }) => !known.has(digest));
  return {
    changed: changed.length,
    changedBytes: changed.reduce((total, { size }) => total + size, 0),
    layerBytes: (now ?? []).reduce((total, { size }) => total + size, 0),
  };
}

/** @param {string} programs @param {string} folder @param {string} name */
async function restore(programs, folder, name) {
  await cp(join(programs, name), join(folder, "tools", name), { force: true });
}

/** @template T @param {readonly T[]} items @param {number} by @returns {T[]} */
function rotate(items, by) {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
