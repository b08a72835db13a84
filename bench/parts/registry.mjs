// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Goals 7 and 11: the embedded registry and its client against docker-registry and skopeo. */
import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeRandomLayout } from "../content/random-layout.mjs";
import { digestOf, pullBlob, pushBlob } from "../harness/blob-client.mjs";
import { firstLine } from "../harness/machine.mjs";
import { measureSteps } from "../harness/measure.mjs";
import { outputOf, timeOf, TOOLBOX } from "../harness/processes.mjs";
import { serveDockerRegistry, serveToolbox } from "../harness/registries.mjs";
import { summarise } from "../harness/statistics.mjs";
import { joinCosts } from "./images.mjs";

/** @typedef {import("../parts.mjs").PartContext} PartContext */
/** @typedef {import("../harness/measure.mjs").Cost} Cost */

const LAYER = 64 * 1024 * 1024;
const CLIENTS = 64;
const CLIENT_BLOB = 4_000_000;
/** A blob takes a tenth of a second, so that a single one says little. */
const TIMES = 3;

/** @param {PartContext} context */
export async function measureRegistry(context) {
  const ours = await serveToolbox(join(context.scratch, "ours"));
  const peer = await serveDockerRegistry(join(context.scratch, "docker-registry"));
  try {
    const push = await measurePush([ours.host, peer.host], context);
    const pull = await measurePull([ours.host, peer.host], context);
    const copies = await measureCopies([ours.host, peer.host], context);
    return {
      peers: {
        skopeo: firstLine("skopeo", ["--version"]),
        "docker-registry": firstLine("docker-registry", ["--version"]),
      },
      push,
      pull,
      ...copies,
      clients: { ours: await measureClients(ours), peer: await measureClients(peer) },
    };
  } finally {
    await ours.stop();
    await peer.stop();
  }
}

/** @param {readonly [string, string]} hosts @param {PartContext} context */
async function measurePush(hosts, context) {
  const content = randomBytes(LAYER);
  return takeTurns("push", hosts, context, async (host) => {
    content.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), 0);
    const digest = digestOf(content);
    return timeOf(async () => pushBlob(host, content, digest));
  });
}

/** @param {readonly [string, string]} hosts @param {PartContext} context */
async function measurePull(hosts, context) {
  const content = randomBytes(LAYER);
  const digest = digestOf(content);
  for (const host of hosts) await pushBlob(host, content, digest);
  return takeTurns("pull", hosts, context, async (host) => timeOf(async () => pullBlob(host, digest)));
}

/**
 * MB/s of a blob of 64 MiB. The first round only warms up.
 *
 * @param {string} what @param {readonly [string, string]} hosts @param {PartContext} context
 * @param {(host: string) => Promise<number>} measure Seconds of one blob.
 */
async function takeTurns(what, [ours, peer], { rounds, log }, measure) {
  /** @type {{ ours: number[], peer: number[] }} */
  const seen = { ours: [], peer: [] };
  for (let round = 0; round <= rounds * 2; round += 1) {
    for (const [side, host] of /** @type {const} */ ([
      ["ours", ours],
      ["peer", peer],
    ])) {
      let seconds = 0;
      for (let time = 0; time < TIMES; time += 1) seconds += await measure(host);
      if (round > 0) seen[side].push((TIMES * LAYER) / 1e6 / seconds);
    }
  }
  const result = { ours: summarise(seen.ours), peer: summarise(seen.peer) };
  log(
    `${what}: ${result.ours.median.toFixed(0)} MB/s, docker-registry ${result.peer.median.toFixed(0)} MB/s`,
  );
  return result;
}

/**
 * Our client and skopeo carry the same image from docker-registry to ours, to a new repository each time, and then
 * once more, when everything is there.
 *
 * @param {readonly [string, string]} hosts @param {PartContext} context
 */
async function measureCopies([ours, peer], { scratch, rounds, log }) {
  /** @type {Record<"copy" | "copyAgain", { ours: Cost[], peer: Cost[] }>} */
  const seen = { copy: { ours: [], peer: [] }, copyAgain: { ours: [], peer: [] } };
  /** @type {Cost[]} */
  const starts = [];
  for (let round = 0; round < rounds; round += 1) {
    // New content each time: skopeo remembers where it has seen a blob, and mounts it from there.
    const source = `${peer}/bench/image${round}:v1`;
    const layout = join(scratch, `layout${round}`);
    await makeRandomLayout(layout, 3, LAYER);
    await outputOf("skopeo", [
      "copy",
      "--all",
      "--dest-tls-verify=false",
      `oci:${layout}:v1`,
      `docker://${source}`,
    ]);
    await rm(layout, { recursive: true });
    for (const times of [seen.copy, seen.copyAgain]) {
      const mine = [process.execPath, TOOLBOX, "image", "copy", source, `${ours}/copy/ours${round}:v1`];
      times.ours.push(await measureSteps([{ argv: mine }]));
      const plain = ["--src-tls-verify=false", "--dest-tls-verify=false", "--quiet"];
      const target = `docker://${ours}/copy/skopeo${round}:v1`;
      const theirs = ["skopeo", "copy", "--all", ...plain, `docker://${source}`, target];
      times.peer.push(await measureSteps([{ argv: theirs }]));
    }
    starts.push(await measureSteps([{ argv: [process.execPath, "-e", "0"] }]));
  }
  const joined = Object.fromEntries(
    Object.entries(seen).map(([name, sides]) => [
      name,
      { ours: joinCosts(sides.ours), peer: joinCosts(sides.peer) },
    ]),
  );
  for (const [name, { ours: mine, peer: theirs }] of Object.entries(joined))
    log(`${name}: ${mine.wall.median.toFixed(3)} s, skopeo ${theirs.wall.median.toFixed(3)} s`);
  return { ...joined, start: joinCosts(starts) };
}

/** 64 clients push and pull a blob each, at once. @param {{ host: string, pid: number }} server */
async function measureClients({ host, pid }) {
  const blobs = Array.from({ length: CLIENTS }, () => randomBytes(CLIENT_BLOB));
  let errors = 0;
  const seconds = await timeOf(async () => {
    await Promise.all(
      blobs.map(async (content, index) => {
        try {
          const digest = digestOf(content);
          await pushBlob(host, content, digest, `clients/c${index}`);
          await pullBlob(host, digest, `clients/c${index}`);
        } catch {
          errors += 1;
        }
      }),
    );
  });
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const rss = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  return { clients: CLIENTS, bytes: CLIENT_BLOB, errors, seconds, rss };
}
