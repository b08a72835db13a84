// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../core/operation.ts";
import type { Digest } from "../oci/index.ts";
import type { FileChange } from "./compare-tars.ts";
import { isTar, openTar } from "./diff-layers.ts";
import type { ImageEnd } from "./image-end.ts";
import { type LayerMember, MergedTree, readLayerMembers } from "./merged-tree.ts";
import type { LayerEnd } from "./pair-layers.ts";

/**
 * Compares what two images show when their layers lie on each other, however they are cut into layers. Each layer is
 * read once; in memory there is one line for each path. Blobs that are no tars are left out.
 *
 * @throws {ToolingError} as diffLayers
 */
export async function compareTrees(
  [from, to]: readonly [ImageEnd, ImageEnd],
  [before, after]: readonly [readonly LayerEnd[], readonly LayerEnd[]],
  { platform, ...options }: OperationOptions & { readonly platform: string },
): Promise<readonly FileChange[]> {
  const what = `compare all files of ${platform}`;
  options.onProgress?.({ type: "started", what });
  const known = new Map<Digest, readonly LayerMember[]>();
  const first = await mergeLayers(from, before, known, options);
  const second = await mergeLayers(to, after, known, options);
  options.onProgress?.({ type: "finished", what, skipped: false });
  return first.compareTo(second);
}

async function mergeLayers(
  end: ImageEnd,
  layers: readonly LayerEnd[],
  known: Map<Digest, readonly LayerMember[]>,
  options: OperationOptions,
): Promise<MergedTree> {
  const tree = new MergedTree();
  for (const layer of layers.filter(isTar)) {
    const { digest } = layer.descriptor;
    const members = known.get(digest) ?? (await readLayerMembers(openTar(end, layer, options), options));
    known.set(digest, members);
    tree.add(members);
  }
  return tree;
}
