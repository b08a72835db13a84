// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * The embedded registry and its client against docker-registry and skopeo. Needs both, and `npm run build`.
 * Peers take turns in each round, so that what else the machine does hits all of them; medians count.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { request as sendRequest } from "node:http";
import { join } from "node:path";
import { outputOf, serveDockerRegistry, serveToolbox, stop, timeOf } from "./peers.mjs";

const ROUNDS = 5;
const LAYER = 64 * 1024 * 1024;
const CLIENTS = 64;
const MEDIATYPE = "application/vnd.oci.image.";

/**
 * @param {string} scratch A folder for all that is made.
 * @returns {Promise<Record<string, unknown>>}
 */
export async function benchRegistry(scratch) {
  const ours = await serveToolbox(join(scratch, "ours"));
  const peer = await serveDockerRegistry(join(scratch, "docker-registry"));
  try {
    const layout = join(scratch, "layout");
    const push = await measurePush(ours.host, peer.host);
    const pull = await measurePull(ours.host, peer.host);
    const copy = await measureCopy(layout, ours.host, peer.host);
    const clients = await measureClients(ours);
    return { push, pull, ...copy, clients };
  } finally {
    await stop(ours, peer);
  }
}

/** One blob of 64 MiB by a plain HTTP client, the same for both. @param {string} ours @param {string} peer */
async function measurePush(ours, peer) {
  const content = randomBytes(LAYER);
  return compare("push, MB/s", [ours, peer], async (host) => {
    content.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), 0);
    const digest = digestOf(content);
    const seconds = await timeOf(async () => pushBlob(host, content, digest));
    return content.byteLength / 1e6 / seconds;
  });
}

/** @param {string} ours @param {string} peer */
async function measurePull(ours, peer) {
  const content = randomBytes(LAYER);
  const digest = digestOf(content);
  for (const host of [ours, peer]) await pushBlob(host, content, digest);
  return compare("pull, MB/s", [ours, peer], async (host) => {
    const seconds = await timeOf(async () => pullBlob(host, digest));
    return content.byteLength / 1e6 / seconds;
  });
}

/**
 * Our client and skopeo carry the same image from docker-registry to ours, to a new repository each time, and then
 * once more, when everything is there.
 *
 * @param {string} layout @param {string} ours @param {string} peer
 */
async function measureCopy(layout, ours, peer) {
  const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  const toolbox = join(import.meta.dirname, "..", "dist", "cli", "main.js");
  /** @type {{ first: Record<string, number[]>, again: Record<string, number[]>, node: number[] }} */
  const seen = { first: { ours: [], peer: [] }, again: { ours: [], peer: [] }, node: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    // New content each time: skopeo remembers where it has seen a blob, and mounts it from there.
    const source = `${peer}/bench/image${round}:v1`;
    await makeLayout(`${layout}${round}`, 3);
    const prepare = [
      "copy",
      "--all",
      "--dest-tls-verify=false",
      `oci:${layout}${round}:v1`,
      `docker://${source}`,
    ];
    await outputOf("skopeo", prepare);
    await rm(`${layout}${round}`, { recursive: true });
    const [to, other] = [`${ours}/copy/ours${round}:v1`, `${ours}/copy/skopeo${round}:v1`];
    for (const times of [seen.first, seen.again]) {
      times["ours"]?.push(
        await timeOf(async () => outputOf(process.execPath, [toolbox, "image", "copy", source, to])),
      );
      const args = ["copy", "--all", ...plain, `docker://${source}`, `docker://${other}`];
      times["peer"]?.push(await timeOf(async () => outputOf("skopeo", args)));
    }
    seen.node.push(await timeOf(async () => outputOf(process.execPath, ["-e", "0"])));
  }
  return {
    copy: summarise("copy between registries, s", seen.first),
    copyAgain: summarise("copy with everything present, s", seen.again),
    node: median(seen.node),
  };
}

/** 64 clients push and pull a blob each, at once. @param {{ host: string, pid: number }} server */
async function measureClients({ host, pid }) {
  const blobs = Array.from({ length: CLIENTS }, () => randomBytes(4_000_000));
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
  const peakRss = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  const summary = { clients: CLIENTS, errors, seconds: round3(seconds), peakRssMiB: Math.round(peakRss) };
  console.log(
    `${CLIENTS} clients at once: ${errors} errors, ${summary.seconds} s, server's peak RSS ${summary.peakRssMiB} MiB`,
  );
  return summary;
}

/**
 * @param {string} title
 * @param {readonly [string, string]} hosts
 * @param {(host: string) => Promise<number>} measure Larger is better.
 */
async function compare(title, [ours, peer], measure) {
  /** @type {{ ours: number[], peer: number[] }} */
  const seen = { ours: [], peer: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    seen.ours.push(await measure(ours));
    seen.peer.push(await measure(peer));
  }
  return summarise(title, seen);
}

/** @param {string} title @param {Record<string, number[]>} seen */
function summarise(title, { ours = [], peer = [] }) {
  const summary = {
    ours: round3(median(ours)),
    peer: round3(median(peer)),
    ratio: round3(median(ours) / median(peer)),
  };
  console.log(`${title}: ours ${summary.ours}, peer ${summary.peer}, ratio ${summary.ratio}`);
  return summary;
}

/** @param {readonly number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** @param {number} value */
function round3(value) {
  return Math.round(value * 1000) / 1000;
}

/** @param {Uint8Array} bytes */
function digestOf(bytes) {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** @param {string} host @param {Uint8Array} content @param {string} digest @param {string} [repository] */
async function pushBlob(host, content, digest, repository = "bench/blob") {
  const started = await ask(host, "POST", `/v2/${repository}/blobs/uploads/`);
  const { pathname, search } = new URL(started.location, `http://${host}`);
  const query = `${search === "" ? "?" : `${search}&`}digest=${digest}`;
  const { status } = await ask(host, "PUT", pathname + query, content);
  if (status !== 201) throw new Error(`the push ended with ${status}`);
}

/** @param {string} host @param {string} digest @param {string} [repository] */
async function pullBlob(host, digest, repository = "bench/blob") {
  const { status } = await ask(host, "GET", `/v2/${repository}/blobs/${digest}`);
  if (status !== 200) throw new Error(`the pull ended with ${status}`);
}

/**
 * @param {string} host @param {string} method @param {string} path @param {Uint8Array} [body]
 * @returns {Promise<{ status: number, location: string }>}
 */
async function ask(host, method, path, body) {
  const [hostname, port] = host.split(":");
  const headers =
    body === undefined
      ? {}
      : { "content-type": "application/octet-stream", "content-length": body.byteLength };
  return new Promise((resolve, reject) => {
    const request = sendRequest({ hostname, port, method, path, headers }, (answer) => {
      answer.resume();
      answer.once("end", () =>
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? "" }),
      );
      answer.once("error", reject);
    });
    request.once("error", reject).end(body);
  });
}

/** An image of incompressible layers, as `oci:` layout. @param {string} folder @param {number} count */
async function makeLayout(folder, count) {
  const blobs = join(folder, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  /** @param {Uint8Array} bytes @param {string} mediaType */
  const put = async (bytes, mediaType) => {
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digest.slice(7)), bytes);
    return { mediaType, digest, size: bytes.byteLength };
  };
  const layers = [];
  for (let index = 0; index < count; index += 1)
    layers.push(await put(randomBytes(LAYER), `${MEDIATYPE}layer.v1.tar`));
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
  const config = await put(
    Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs })),
    `${MEDIATYPE}config.v1+json`,
  );
  const mediaType = `${MEDIATYPE}manifest.v1+json`;
  const manifest = await put(
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers })),
    mediaType,
  );
  const annotations = { "org.opencontainers.image.ref.name": "v1" };
  const index = {
    schemaVersion: 2,
    mediaType: `${MEDIATYPE}index.v1+json`,
    manifests: [{ ...manifest, annotations }],
  };
  await writeFile(join(folder, "index.json"), JSON.stringify(index));
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}
