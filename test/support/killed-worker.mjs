// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Works on stores until it is killed. usage: node killed-worker.mjs serve FOLDER | work FOLDER HOST NAME
 *   serve   a registry that collects garbage all the time; prints its address
 *   work    pushes and pulls an image again and again and collects garbage; prints `pushed NAME DIGEST` for what is done
 */
import { createHash, randomBytes } from "node:crypto";
import { copyImage, openLayoutStore } from "@best-tools/toolbox/oci";
import { openRegistryRepository, startRegistryServer } from "@best-tools/toolbox/registry";

const IMAGE = "application/vnd.oci.image.";
/** Long enough for a push of a few small blobs on a busy machine. */
const GRACE = 20_000;

const [mode = "", folder = "", host = "", name = ""] = process.argv.slice(2);
await (mode === "serve" ? serve() : work());

async function serve() {
  const server = await startRegistryServer({ folder, gcInterval: 20, gcGrace: GRACE });
  process.stdout.write(`serving ${server.address}\n`);
}

async function work() {
  const local = await openLayoutStore(folder);
  const retry = { firstDelay: 5, longestDelay: 50 };
  const repository = openRegistryRepository({ registry: host, repository: "work" }, { retry });
  process.stdout.write("ready\n");
  for (let round = 0; ; round += 1) {
    const tag = `${name}-${round}`;
    const root = await makeImage(local, tag);
    await copyImage(local, repository, root, { tag });
    process.stdout.write(`pushed ${tag} ${root.digest}\n`);
    await local.untag(tag);
    await copyImage(repository, local, root, { tag: `pulled-${tag}` });
    await local.removeUnreferenced({ grace: GRACE });
  }
}

/**
 * @param {import("@best-tools/toolbox/oci").LayoutStore} store
 * @param {string} tag
 */
async function makeImage(store, tag) {
  const layer = await put(store, randomBytes(60_000), `${IMAGE}layer.v1.tar`);
  const config = await put(
    store,
    Buffer.from(JSON.stringify({ os: "linux", tag })),
    `${IMAGE}config.v1+json`,
  );
  const mediaType = `${IMAGE}manifest.v1+json`;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }));
  const descriptor = describe(bytes, mediaType);
  await store.putManifest(descriptor, bytes, { tag });
  return descriptor;
}

/**
 * @param {import("@best-tools/toolbox/oci").LayoutStore} store
 * @param {Buffer} bytes
 * @param {string} mediaType
 */
async function put(store, bytes, mediaType) {
  const descriptor = describe(bytes, mediaType);
  await store.putBlob(
    descriptor,
    (async function* once() {
      yield bytes;
    })(),
  );
  return descriptor;
}

/**
 * @param {Buffer} bytes
 * @param {string} mediaType
 */
function describe(bytes, mediaType) {
  /** @type {`sha256:${string}`} */
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { mediaType, digest, size: bytes.byteLength };
}
