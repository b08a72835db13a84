// SPDX-License-Identifier: Apache-2.0
import { gunzipSync } from "node:zlib";
import { readTar, type TarMember } from "../../src/archive/index.ts";
import { collectBytes, streamOf } from "../../src/core/byte-stream.ts";
import type { BlobSource, Descriptor } from "../../src/oci/index.ts";

/** A member of a layer, with the content of files as text. */
export type LayerEntry = Omit<TarMember, "content"> & { readonly text: string };

/** All that a small gzip layer holds, by path. */
export async function readLayerEntries(
  store: BlobSource,
  layer: Descriptor,
): Promise<ReadonlyMap<string, LayerEntry>> {
  const tar = gunzipSync(await collectBytes(store.openBlob(layer)));
  const entries = new Map<string, LayerEntry>();
  for await (const { content, ...member } of readTar(streamOf(tar))) {
    entries.set(member.path, { ...member, text: Buffer.from(await collectBytes(content)).toString("utf8") });
  }
  return entries;
}
