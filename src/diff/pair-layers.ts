// SPDX-License-Identifier: Apache-2.0
import type { Descriptor, ImageConfig, ImageHistory, ImageManifest } from "../oci/index.ts";
import { alignLists } from "./align-lists.ts";

/** One layer of one of the two images. */
export interface LayerEnd {
  /** From 0, the base first. */
  readonly position: number;
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed layer. Absent: there is no config of an image to say it. */
  readonly diffID?: string | undefined;
  /** The command of the history that made it. Absent: the history does not say. */
  readonly createdBy?: string | undefined;
  /** A layer with a name is only compared with one of the same name. Absent: it has none. */
  readonly name?: string | undefined;
}

/** Two layers that belong together, or one that has no counterpart. */
export type LayerPair =
  | { readonly kind: "added"; readonly to: LayerEnd }
  | { readonly kind: "removed"; readonly from: LayerEnd }
  | PairedLayers;

/** Two layers that belong together. */
export interface PairedLayers {
  /** `recompressed`: the same tar in another wrapping. */
  readonly kind: "same" | "recompressed" | "changed";
  readonly from: LayerEnd;
  readonly to: LayerEnd;
  /** Whether it stands elsewhere among the layers that both images have. */
  readonly moved: boolean;
}

/** The name that a builder has given to a layer in its history. Absent: it gives none. */
export type NameLayer = (createdBy: string) => string | undefined;

/** The layers of one platform's manifest, with what its config says of them. */
export function listLayers(
  { layers }: ImageManifest,
  config: ImageConfig | undefined,
  nameLayer: NameLayer,
): readonly LayerEnd[] {
  const history = (config?.history ?? []).filter((step: ImageHistory) => step.empty_layer !== true);
  const hasAll = history.length === layers.length;
  return layers.map((descriptor, position) => {
    const createdBy = hasAll ? history[position]?.created_by : undefined;
    const name = createdBy === undefined ? undefined : nameLayer(createdBy);
    return { position, descriptor, diffID: config?.rootfs.diff_ids[position], createdBy, name };
  });
}

/**
 * Finds for each layer its counterpart: by digest, else by diffID, else by name or history, and what is left then in
 * order. In the order of `to`; what is only in `from` stands where it stood there.
 */
export function pairLayers(from: readonly LayerEnd[], to: readonly LayerEnd[]): readonly LayerPair[] {
  const partners = new Map<LayerEnd, LayerEnd>();
  const free = new Set(from);
  const keys: readonly ((layer: LayerEnd) => string | undefined)[] = [
    ({ descriptor }) => descriptor.digest,
    ({ diffID }) => diffID,
    ({ name, createdBy }) => name ?? createdBy,
    // Nothing better is known, and no name speaks against it.
    ({ name }) => (name === undefined ? "" : undefined),
  ];
  for (const keyOf of keys) {
    const known = groupBy(free, keyOf);
    for (const layer of to) {
      const key = partners.has(layer) ? undefined : keyOf(layer);
      const partner = key === undefined ? undefined : known.get(key)?.shift();
      if (partner === undefined) continue;
      partners.set(layer, partner);
      free.delete(partner);
    }
  }
  return inOrder(from, to, partners);
}

function groupBy(
  layers: Iterable<LayerEnd>,
  keyOf: (layer: LayerEnd) => string | undefined,
): Map<string, LayerEnd[]> {
  const groups = new Map<string, LayerEnd[]>();
  for (const layer of layers) {
    const key = keyOf(layer);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), layer]);
  }
  return groups;
}

function inOrder(
  from: readonly LayerEnd[],
  to: readonly LayerEnd[],
  partners: ReadonlyMap<LayerEnd, LayerEnd>,
): readonly LayerPair[] {
  const paired = new Set(partners.values());
  const moved = movedLayers(from, to, partners);
  const removedAfter = new Map<LayerEnd | undefined, LayerPair[]>();
  let last: LayerEnd | undefined;
  for (const layer of from) {
    if (paired.has(layer)) last = layer;
    else removedAfter.set(last, [...(removedAfter.get(last) ?? []), { kind: "removed", from: layer }]);
  }
  const rows = to.flatMap((layer): LayerPair[] => {
    const partner = partners.get(layer);
    if (partner === undefined) return [{ kind: "added", to: layer }];
    const pair = { kind: kindOf(partner, layer), from: partner, to: layer, moved: moved.has(layer) };
    return [pair, ...(removedAfter.get(partner) ?? [])];
  });
  return [...(removedAfter.get(undefined) ?? []), ...rows];
}

function kindOf(from: LayerEnd, to: LayerEnd): PairedLayers["kind"] {
  if (from.descriptor.digest === to.descriptor.digest) return "same";
  return from.diffID !== undefined && from.diffID === to.diffID ? "recompressed" : "changed";
}

/** As few layers as possible, so that one that came or went does not seem to move all others. */
function movedLayers(
  from: readonly LayerEnd[],
  to: readonly LayerEnd[],
  partners: ReadonlyMap<LayerEnd, LayerEnd>,
): ReadonlySet<LayerEnd> {
  const paired = to.filter((layer) => partners.has(layer));
  const after = paired.map((layer) => String(partners.get(layer)?.position));
  const kept = new Set(after);
  const before = from.map(({ position }) => String(position)).filter((position) => kept.has(position));
  return new Set(alignLists(before, after).flatMap((gap) => paired.slice(gap.to, gap.toEnd)));
}
