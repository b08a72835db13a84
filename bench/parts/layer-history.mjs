// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** A year of releases, and what each order of layers makes an engine fetch. Pure: the same seed gives the same year. */

/** @typedef {{ name: string, bytes: number, perYear: number }} Tool */
/** @typedef {readonly string[]} Week Names of the tools that have a new version. */

/** The layer on top, which is made anew with each change. */
const TOP_BYTES = 40_000;

/**
 * Weeks with their releases: each tool's come at random, as often as it is known to have had.
 *
 * @param {readonly Tool[]} tools @param {number} weeks @param {number} seed @returns {Week[]}
 */
export function inventHistory(tools, weeks, seed) {
  const random = createRandom(seed);
  return Array.from({ length: weeks }, () =>
    tools.filter(({ perYear }) => random() < 1 - Math.exp(-perYear / 52)).map(({ name }) => name),
  );
}

/**
 * How layers are ordered: the order of next week out of that of this week and what has changed.
 *
 * @typedef {object} Order
 * @property {(tools: readonly Tool[], seed: number) => string[]} start
 * @property {(order: readonly string[], changed: Week, times: ReadonlyMap<string, number>) => readonly string[]} [move]
 *   Absent: it stays. `times`: how often each has changed so far.
 */

/** @type {Readonly<Record<string, Order>>} */
export const ORDERS = {
  "as written": { start: (tools, seed) => shuffle(namesOf(tools), createRandom(seed)) },
  alphabetical: { start: (tools) => namesOf(tools).toSorted() },
  "least recently changed first": {
    start: (tools) => namesOf(tools).toSorted(),
    move: (order, changed) => [...order.filter((name) => !changed.includes(name)), ...changed.toSorted()],
  },
  "fewest changes so far first": {
    start: (tools) => namesOf(tools).toSorted(),
    move: (order, _changed, times) => order.toSorted((a, b) => (times.get(a) ?? 0) - (times.get(b) ?? 0)),
  },
  "largest first": { start: (tools) => namesOf(tools.toSorted((a, b) => b.bytes - a.bytes)) },
  "rarest releases first, known beforehand": {
    start: (tools) => namesOf(tools.toSorted((a, b) => a.perYear - b.perYear)),
  },
};

/**
 * Bytes that an engine fetches that pulls each week.
 *
 * @param {readonly Tool[]} tools @param {readonly Week[]} history @param {Order} order @param {number} seed
 * @returns {{ chain: number, content: number }} `chain`: a layer under a changed one counts as changed too (classic
 *   docker); `content`: layers are known by their digest (containerd, podman).
 */
export function pullBytes(tools, history, { start, move }, seed) {
  const sizes = new Map(tools.map(({ name, bytes }) => [name, bytes]));
  const bytesOf = (/** @type {readonly string[]} */ names) =>
    names.reduce((total, name) => total + (sizes.get(name) ?? 0), 0);
  /** @type {Map<string, number>} */
  const times = new Map();
  let [chain, content] = [0, 0];
  let order = /** @type {readonly string[]} */ (start(tools, seed));
  for (const changed of history.filter((names) => names.length > 0)) {
    for (const name of changed) times.set(name, (times.get(name) ?? 0) + 1);
    const next = move?.(order, changed, times) ?? order;
    const same = next.findIndex((name, at) => name !== order[at] || changed.includes(name));
    chain += bytesOf(next.slice(same)) + TOP_BYTES;
    content += bytesOf(changed) + TOP_BYTES;
    order = next;
  }
  return { chain, content };
}

/** @param {readonly Tool[]} tools */
function namesOf(tools) {
  return tools.map(({ name }) => name);
}

/** @param {readonly string[]} names @param {() => number} random */
function shuffle(names, random) {
  return names
    .map((name) => ({ name, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ name }) => name);
}

/** mulberry32: small, and the same everywhere. @param {number} seed @returns {() => number} 0 to 1 */
function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
