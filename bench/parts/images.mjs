// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Goals 1 to 5: eight programs into an image and to a registry, cold, with one of them changed, and with nothing new. */
import { NAMES, prepareBase, preparePrograms } from "../content/programs.mjs";
import { prepareToolingPrograms } from "../content/tooling-programs.mjs";
import { measureSteps } from "../harness/measure.mjs";
import { runRound } from "../harness/round.mjs";
import { summarise } from "../harness/statistics.mjs";
import { cranePeer } from "../peers/crane.mjs";
import { buildahPeer } from "../peers/dockerfile.mjs";
import { misePeer } from "../peers/mise.mjs";
import { FAST_GZIP, toolboxPeer } from "../peers/toolbox.mjs";
import { umociPeer } from "../peers/umoci.mjs";

/** @typedef {import("../parts.mjs").PartContext} PartContext */
/** @typedef {import("../harness/round.mjs").PeerRound} PeerRound */

/** First, middle and last: what lies above a change decides how long a Dockerfile takes. */
const SOME = [0, 3, 7].map((at) => NAMES[at] ?? "");

/** @param {PartContext} context */
export async function measureImages(context) {
  const all = [
    toolboxPeer("zstd"),
    umociPeer,
    { ...toolboxPeer(FAST_GZIP), bumps: [] },
    toolboxPeer("gzip"),
    { ...buildahPeer("buildah"), bumps: SOME },
    misePeer(context.programs["mise"] ?? "mise"),
    cranePeer(context.programs["crane"] ?? "crane"),
  ];
  const { peers, versions } = keepPresent(all, context);
  return { peers: versions, ...(await runRounds(peers, context, { bumps: NAMES })) };
}

/** The Go programs of the published `tooling-k8s`, cold, where they are compiled already. @param {PartContext} context */
export async function measureToolingImage(context) {
  const content = await prepareToolingPrograms(context.scratch);
  if (content === undefined) {
    context.log("the programs of tooling-k8s are not compiled; run `npm run images` first");
    return {};
  }
  const all = [toolboxPeer("zstd"), umociPeer, toolboxPeer("gzip"), { ...buildahPeer("buildah"), bumps: [] }];
  const { peers, versions } = keepPresent(all, context);
  return { peers: versions, ...(await runRounds(peers, context, { bumps: [], content })) };
}

/**
 * @param {readonly import("../harness/round.mjs").Peer[]} all @param {PartContext} context
 */
export function keepPresent(all, { log }) {
  const peers = all.filter((peer) => {
    const isThere = peer.version() !== undefined;
    if (!isThere) log(`${peer.name} could not be had, and is left out`);
    return isThere;
  });
  const versions = Object.fromEntries(
    peers.map(({ name, about, version }) => [name, { version: version() ?? "", about }]),
  );
  return { peers, versions };
}

/**
 * A round that counts bytes and warms up, then those that are timed.
 *
 * @param {readonly import("../harness/round.mjs").Peer[]} peers @param {PartContext} context
 * @param {{ bumps: readonly string[], content?: { folder: string, bytes: number, names: readonly string[] } }} options
 */
export async function runRounds(peers, { scratch, rounds, log }, { bumps, content }) {
  const { folder: programs, bytes, names } = content ?? { names: NAMES, ...(await preparePrograms()) };
  const base = await prepareBase(scratch);
  const shared = { peers, scratch, base, programs, names, bumps, log };
  const counted = await runRound({ ...shared, round: 0, counts: true });
  /** @type {Record<string, PeerRound>[]} */
  const timed = [];
  /** @type {import("../harness/measure.mjs").Cost[]} */
  const starts = [];
  for (let round = 1; round <= rounds; round += 1) {
    timed.push(await runRound({ ...shared, round }));
    starts.push(await measureSteps([{ argv: [process.execPath, "-e", "0"] }]));
  }
  const costs = Object.fromEntries(
    peers.map(({ name }) => [
      name,
      joinRounds(
        counted[name] ?? {},
        timed.map((round) => round[name] ?? {}),
      ),
    ]),
  );
  return { content: { programs: names, bytes }, costs, start: joinCosts(starts) };
}

/** @param {PeerRound} counted @param {readonly PeerRound[]} timed */
function joinRounds(counted, timed) {
  return Object.fromEntries(
    Object.entries(counted).map(([step, { wall: _wall, cpu: _cpu, rss: _rss, ...bytes }]) => {
      const rounds = timed.flatMap((round) => (round[step] === undefined ? [] : [round[step]]));
      return [step, { ...bytes, ...joinCosts(rounds) }];
    }),
  );
}

/** @param {readonly import("../harness/measure.mjs").Cost[]} costs */
export function joinCosts(costs) {
  return {
    wall: summarise(costs.map(({ wall }) => wall)),
    cpu: summarise(costs.map(({ cpu }) => cpu)),
    rss: summarise(costs.map(({ rss }) => rss)),
  };
}
