// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "../harness/blob-client.mjs";

const MEDIATYPE = "application/vnd.oci.image.";

/** An image of layers that hold nothing but noise. @param {string} folder @param {number} count @param {number} size */
export async function makeRandomLayout(folder, count, size) {
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
    layers.push(await put(randomBytes(size), `${MEDIATYPE}layer.v1.tar`));
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
