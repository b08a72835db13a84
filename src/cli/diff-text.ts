// SPDX-License-Identifier: Apache-2.0
import type {
  DocumentDiff,
  FileChange,
  LayerDiff,
  LayerEnd,
  PlatformDiff,
  ValueChange,
} from "../diff/index.ts";
import { formatByteDifference, formatFileChange } from "./diff-file-text.ts";
import type { DiffResult } from "./diff-report.ts";
import { formatColumns, formatSize } from "./measure.ts";
import { plainText } from "./plain-text.ts";
import { describeToolWeight } from "./tool-weights.ts";

/** The whole comparison for people, from coarse to fine. */
export function formatDiff({ images: [from, to], diff, tools = [] }: DiffResult): readonly string[] {
  const heads = formatColumns([
    ["A", from.place, from.root.digest],
    ["B", to.place, to.root.digest],
  ]);
  if (diff.same) return [...heads, "the same"];
  const told = new Set<string>();
  return [
    ...heads,
    ...(tools.length === 0 ? [] : ["tools", ...indent(tools.map(describeToolWeight))]),
    ...(diff.index === undefined ? [] : documentLines("index", diff.index, told)),
    ...diff.platforms.flatMap((platform) => platformLines(platform, told)),
  ];
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function platformLines(
  { platform, kind, descriptor, content }: PlatformDiff,
  told: Set<string>,
): readonly string[] {
  const title = plainText(platform);
  if (kind === "added") return [`${title}  only in B`];
  if (kind === "removed") return [`${title}  only in A`];
  const described = descriptor.map((change) => describeChange("index entry", change));
  if (content === undefined) return [`${title}  the same`, ...indent(described)];
  const { manifest, config, layers, tree } = content;
  return [
    title,
    ...indent([
      ...described,
      ...documentLines("manifest", manifest, told),
      ...(config === undefined ? [] : documentLines("config", config, told)),
      ...layerLines(layers),
      ...(tree === undefined ? [] : treeLines(tree)),
    ]),
  ];
}

/** @param told What was told already: annotations and labels often say one thing in five places. */
function documentLines(
  name: string,
  { changes, spelling }: DocumentDiff,
  told: Set<string>,
): readonly string[] {
  const news = changes.filter((change) => !told.has(identify(change)));
  for (const change of changes) told.add(identify(change));
  const known = changes.length - news.length;
  return [
    ...news.map((change) => describeChange(name, change)),
    ...(known === 0 ? [] : [`${name}: ${known} ${known === 1 ? "change" : "changes"} as above`]),
    ...(spelling === undefined
      ? []
      : [`${name}: says the same in other bytes`, ...indent(formatByteDifference(spelling))]),
  ];
}

function identify({ path, from, to }: ValueChange): string {
  return JSON.stringify([path.at(-1), from, to]);
}

function describeChange(name: string, { path, from, to }: ValueChange): string {
  const place = plainText([name, ...path].join(" "));
  const [before, after] = shorten([formatValue(from), formatValue(to)]);
  if (before === undefined) return `${place}: ${after} added`;
  return after === undefined ? `${place}: ${before} removed` : `${place}: ${before} -> ${after}`;
}

function formatValue(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return plainText(typeof value === "string" ? `"${value}"` : JSON.stringify(value));
}

const LONGEST_VALUE = 80;
/** What of the common beginning of two long values is shown. */
const SHOWN_BEFORE = 12;

/** Long values are shown from shortly before the place where they part. */
function shorten(values: readonly (string | undefined)[]): readonly (string | undefined)[] {
  const [a = "", b = ""] = values;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same += 1;
  const start = a.length > LONGEST_VALUE || b.length > LONGEST_VALUE ? Math.max(0, same - SHOWN_BEFORE) : 0;
  return values.map((value) => {
    if (value === undefined) return undefined;
    const rest = value.slice(start, start + LONGEST_VALUE);
    return `${start > 0 ? "…" : ""}${rest}${start + LONGEST_VALUE < value.length ? "…" : ""}`;
  });
}

function treeLines(tree: readonly FileChange[]): readonly string[] {
  if (tree.length === 0) return ["a container sees the same files"];
  return ["what a container sees:", ...indent(tree.flatMap(formatFileChange))];
}

function layerLines(layers: readonly LayerDiff[]): readonly string[] {
  const same = layers.filter(isSame);
  const size = same.reduce((sum, { to }) => sum + (to?.descriptor.size ?? 0), 0);
  const others = layers.filter((layer) => !isSame(layer));
  return [
    ...(same.length === 0
      ? []
      : [`${same.length} of ${layers.length} layers are the same, ${formatSize(size)}`]),
    ...others.flatMap((layer) => [layerTitle(layer), ...indent(layerDetails(layer))]),
  ];
}

function isSame({ kind, moved, descriptor }: LayerDiff): boolean {
  return kind === "same" && !moved && descriptor.length === 0;
}

function layerTitle({ kind, moved, from, to }: LayerDiff): string {
  const name = nameOf(to) ?? nameOf(from);
  const places =
    from === undefined || to === undefined || from.position === to.position
      ? String(((to ?? from)?.position ?? 0) + 1)
      : `${from.position + 1} -> ${to.position + 1}`;
  const size = [from, to].flatMap((end) => (end === undefined ? [] : [formatSize(end.descriptor.size)]));
  const sizes = kind === "same" || new Set(size).size === 1 ? size.slice(0, 1) : size;
  return [
    `layer ${places}${name === undefined ? "" : ` (${name})`}: ${describeKind(kind, moved)}`,
    sizes.join(" -> "),
  ].join(", ");
}

function nameOf(layer: LayerEnd | undefined): string | undefined {
  const name = layer?.name ?? layer?.createdBy;
  if (name === undefined) return undefined;
  const text = plainText(name).trim();
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

function describeKind(kind: LayerDiff["kind"], moved: boolean): string {
  const elsewhere = moved ? ", at another place" : "";
  switch (kind) {
    case "added":
      return "only in B";
    case "removed":
      return "only in A";
    case "same":
      return moved ? "the same, at another place" : "the same";
    case "recompressed":
      return `same content, other compression${elsewhere}`;
    case "changed":
      return `differs${elsewhere}`;
  }
}

function layerDetails({ kind, from, to, descriptor, tar, blob }: LayerDiff): readonly string[] {
  const ends = [from, to].flatMap((end) => (end === undefined ? [] : [end]));
  const digests = ends.map(({ descriptor: { digest } }) => digest);
  return [
    ...(kind === "changed" || kind === "recompressed" ? [digests.join(" -> ")] : []),
    ...descriptor.map((change) => describeChange("descriptor", change)),
    ...(blob === undefined ? [] : ["the blobs differ", ...formatByteDifference(blob)]),
    ...(tar === undefined ? [] : tarLines(kind, tar)),
  ];
}

function tarLines(
  kind: LayerDiff["kind"],
  { files, reordered, bytes }: NonNullable<LayerDiff["tar"]>,
): readonly string[] {
  const lines = files.flatMap(formatFileChange);
  if (reordered !== undefined) lines.push(`files stand in another order, among them ${plainText(reordered)}`);
  if (bytes !== undefined) {
    const { part, path, field } = bytes;
    const where = path === undefined ? part : `${field ?? part} of ${plainText(path)}`;
    lines.push(`same files, another tar: the ${where}`, ...formatByteDifference(bytes));
  }
  if (kind !== "changed" || lines.length > 0) return lines;
  return ["the tars are the same to the byte: one of the configs gives a wrong diffID"];
}
