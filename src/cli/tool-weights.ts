// SPDX-License-Identifier: Apache-2.0
import type { ImageDiff, LayerDiff, PlatformContentDiff, PlatformDocuments } from "../diff/index.ts";
import type { ToolChange } from "../workspace/index.ts";
import { type ImageToolLine, listToolsIn } from "./image-tools.ts";
import { formatSize } from "./measure.ts";
import { describeToolChange, diffTools } from "./tool-changes.ts";

/** What became of one tool between two images. */
export interface ToolWeightChange extends ToolChange {
  /** By platform: compressed bytes of the layer that the tool has for itself. A side is absent where it has none. */
  readonly sizes: Readonly<Record<string, { readonly from?: number; readonly to?: number }>>;
}

/**
 * Compares the tools that two images list, and the layers that they stand in. Absent: one of them lists none.
 *
 * @throws {ToolingError} `MANIFEST_INVALID`
 */
export function compareTools({ platforms }: ImageDiff): readonly ToolWeightChange[] | undefined {
  const changes = new Map<string, ToolWeightChange>();
  let areListed = false;
  for (const { platform, content } of platforms) {
    if (content === undefined) continue;
    const [before, after] = content.documents.map((documents) => toolsOf(documents, platform));
    if (before === undefined || after === undefined) continue;
    areListed = true;
    for (const change of [...diffTools(before, after), ...rebuiltTools(before, after, content)]) {
      const key = JSON.stringify(change);
      const known = changes.get(key) ?? { ...change, sizes: {} };
      changes.set(key, { ...known, sizes: { ...known.sizes, [platform]: sizesOf(change.name, content) } });
    }
  }
  if (!areListed) return undefined;
  return [...changes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** One change for people: `helm 3.18.4 -> 3.19.0, +14.2 MB`. */
export function describeToolWeight({ sizes, ...change }: ToolWeightChange): string {
  const differences = Object.entries(sizes).map(([platform, { from, to }]) => ({
    platform,
    text: from === undefined && to === undefined ? "" : formatDifference((to ?? 0) - (from ?? 0)),
  }));
  const texts = new Set(differences.map(({ text }) => text));
  const [only = ""] = texts;
  const weights =
    texts.size > 1
      ? differences.map(({ platform, text }) => `${text} (${platform})`.trim())
      : only
        ? [only]
        : [];
  return [describeToolChange(change), ...weights].join(", ");
}

/** `+14.2 MB`, `-310 kB`, or that the sizes are equal. */
function formatDifference(bytes: number): string {
  if (bytes === 0) return "same size";
  return `${bytes < 0 ? "-" : "+"}${formatSize(Math.abs(bytes))}`;
}

/** An archive keeps no annotations, but the config's labels say the same. */
function toolsOf(
  { manifest, config }: PlatformDocuments,
  platform: string,
): readonly ImageToolLine[] | undefined {
  return (
    listToolsIn(manifest.value.annotations ?? {}, platform) ??
    listToolsIn(config?.value.config?.Labels ?? {}, platform)
  );
}

/** Tools of the same version whose layer holds something else. */
function rebuiltTools(
  before: readonly ImageToolLine[],
  after: readonly ImageToolLine[],
  { layers }: PlatformContentDiff,
): readonly ToolChange[] {
  const old = new Map(before.map(({ name, version }) => [name, version]));
  const unlike = new Set(layers.flatMap(({ kind, to }) => (kind === "changed" ? toolsIn(to) : [])));
  return after
    .filter(({ name, version }) => old.get(name) === version && unlike.has(name))
    .map(({ name, version }) => ({ name, kind: "rebuilt", from: version, to: version }));
}

function sizesOf(tool: string, { layers }: PlatformContentDiff): { from?: number; to?: number } {
  const sizeIn = (side: "from" | "to"): number | undefined => {
    const own = layers.find((layer) => {
      const [only, ...others] = toolsIn(layer[side]);
      return only === tool && others.length === 0;
    });
    return own?.[side]?.descriptor.size;
  };
  const [from, to] = [sizeIn("from"), sizeIn("to")];
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function toolsIn(layer: LayerDiff["to"]): readonly string[] {
  return layer?.name?.split(", ") ?? [];
}
