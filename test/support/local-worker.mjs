// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Works on local files, under limits that its caller sets. usage: node local-worker.mjs MODE FOLDER
 *   crowd     stores 200 blobs at once; prints how many
 *   hoard     opens all files that it may, stores a blob, closes them, stores it again; prints both outcomes
 *   store     puts an image into a layout, with a tag
 *   registry  serves a registry, pushes an image to it, and stops
 */
import { createHash, randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { copyImage, createMemoryStore, openLayoutStore } from "@best-tools/toolbox/oci";
import { openRegistryRepository, startRegistryServer } from "@best-tools/toolbox/registry";

const IMAGE = "application/vnd.oci.image.";

const [mode = "", folder = ""] = process.argv.slice(2);
if (mode === "crowd") await crowd();
else if (mode === "hoard") await hoard();
else if (mode === "store") await addImage(await openLayoutStore(folder), "a:1");
else await serve();

async function crowd() {
  const store = await openLayoutStore(folder);
  await Promise.all(Array.from({ length: 200 }, async () => putBlob(store)));
  process.stdout.write("200 stored\n");
}

async function hoard() {
  const store = await openLayoutStore(folder);
  await putBlob(store);
  const handles = [];
  try {
    for (;;) handles.push(await open("/dev/null"));
  } catch {
    process.stdout.write(`${await outcomeOf(putBlob(store))}\n`);
  }
  await Promise.all(handles.map(async (handle) => handle.close()));
  process.stdout.write(`${await outcomeOf(putBlob(store))}\n`);
}

async function serve() {
  const memory = createMemoryStore();
  const root = await addImage(memory, "v1");
  const server = await startRegistryServer({ folder, stopTimeout: 100 });
  const repository = openRegistryRepository({ registry: server.address, repository: "a" });
  await copyImage(memory, repository, root, { tag: "v1" });
  await server.close();
}

/** @param {Promise<unknown>} work */
async function outcomeOf(work) {
  return work.then(
    () => "stored",
    (error) => error.code,
  );
}

/** @param {import("@best-tools/toolbox/oci").ContentSink} store */
async function putBlob(store) {
  return put(store, randomBytes(200_000), `${IMAGE}layer.v1.tar`);
}

/**
 * @param {import("@best-tools/toolbox/oci").ContentSink} store
 * @param {string} tag
 */
async function addImage(store, tag) {
  const layer = await putBlob(store);
  const config = await put(store, Buffer.from('{"os":"linux"}'), `${IMAGE}config.v1+json`);
  const mediaType = `${IMAGE}manifest.v1+json`;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }));
  const descriptor = describe(bytes, mediaType);
  await store.putManifest(descriptor, bytes, { tag });
  return descriptor;
}

/**
 * @param {import("@best-tools/toolbox/oci").ContentSink} store
 * @param {Buffer} bytes
 * @param {string} mediaType
 */
async function put(store, bytes, mediaType) {
  const descriptor = describe(bytes, mediaType);
  const content = (async function* parts() {
    for (let at = 0; at < bytes.byteLength; at += 50_000) yield bytes.subarray(at, at + 50_000);
  })();
  await store.putBlob(descriptor, content);
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
