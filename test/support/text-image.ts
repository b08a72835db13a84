// SPDX-License-Identifier: Apache-2.0
import { streamOf } from "../../src/core/byte-stream.ts";
import { type ContentSink, describeBytes, type Descriptor, MEDIA_TYPES } from "../../src/oci/index.ts";

/** UTF-8 bytes. */
export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

/** Puts an image with one "layer" that is just text into a store. */
export async function addTextImage(to: ContentSink, content: string): Promise<Descriptor> {
  const layer = text(`layer ${content}`);
  const config = text(JSON.stringify({ architecture: content, os: "linux" }));
  const layers = [describeBytes(layer, MEDIA_TYPES.layerTar)];
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    config: describeBytes(config, MEDIA_TYPES.imageConfig),
    layers,
  };
  await to.putBlob(describeBytes(layer, MEDIA_TYPES.layerTar), streamOf(layer));
  await to.putBlob(manifest.config, streamOf(config));
  return await addDocument(to, manifest, MEDIA_TYPES.imageManifest);
}

/** Puts a manifest or index into a store. */
export async function addDocument(to: ContentSink, document: object, mediaType: string): Promise<Descriptor> {
  const bytes = text(JSON.stringify(document));
  const descriptor = describeBytes(bytes, mediaType);
  await to.putManifest(descriptor, bytes, {});
  return descriptor;
}
