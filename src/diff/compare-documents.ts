// SPDX-License-Identifier: Apache-2.0
import { streamOf } from "../core/byte-stream.ts";
import type { Descriptor, ImageConfig, ImageIndex, ImageManifest } from "../oci/index.ts";
import { compareValues, type ValueChange } from "./compare-values.ts";
import { type ByteDifference, findFirstDifference } from "./first-difference.ts";
import type { ReadDocument } from "./image-end.ts";

/** How two documents of one kind differ. */
export interface DocumentDiff {
  readonly changes: readonly ValueChange[];
  /** Where the texts part although they say the same: white space, or the order of members. Absent: they do not. */
  readonly spelling?: ByteDifference | undefined;
}

/** All that an index says but for what it lists, which is compared platform by platform. */
export async function compareIndexes(
  from: ReadDocument<ImageIndex>,
  to: ReadDocument<ImageIndex>,
): Promise<DocumentDiff> {
  return await compareDocuments(from, to, (index) => without(index, ["manifests"]));
}

/** All that a manifest says but for its layers, which are compared by themselves, and its config's digest. */
export async function compareManifests(
  from: ReadDocument<ImageManifest>,
  to: ReadDocument<ImageManifest>,
): Promise<DocumentDiff> {
  return await compareDocuments(from, to, (manifest) => ({
    ...without(manifest, ["layers"]),
    config: descriptorView(manifest.config),
  }));
}

/** All that a config says but for the list of its layers. The environment is compared by name. */
export async function compareConfigs(
  from: ReadDocument<ImageConfig>,
  to: ReadDocument<ImageConfig>,
): Promise<DocumentDiff> {
  const compared = await compareDocuments(from, to, configView);
  const env = compareValues(from.value.config?.Env, to.value.config?.Env, ["config", "Env"]);
  const isReordered = env.length > 0 && !compared.changes.some(({ path }) => path[1] === "Env");
  return isReordered ? { ...compared, changes: [...compared.changes, ...env] } : compared;
}

/** What a descriptor says beside digest and size, which differ whenever the content does. */
export function compareDescriptors(from: Descriptor, to: Descriptor): readonly ValueChange[] {
  return compareValues(descriptorView(from), descriptorView(to));
}

function descriptorView(descriptor: Descriptor): object {
  return without(descriptor, ["digest", "size", "data"]);
}

function configView(config: ImageConfig): object {
  const inner = config.config;
  return {
    ...config,
    rootfs: without(config.rootfs, ["diff_ids"]),
    ...(inner !== undefined && { config: { ...inner, Env: environmentOf(inner.Env) } }),
  };
}

function without(value: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** Lines that set a name twice, or none, are left as they stand. */
function environmentOf(lines: unknown): unknown {
  if (!Array.isArray(lines) || !lines.every((line) => typeof line === "string")) return lines;
  const entries = lines.map((line) => {
    const equals = line.indexOf("=");
    return [line.slice(0, Math.max(0, equals)), line.slice(equals + 1)] as const;
  });
  const names = new Set(entries.map(([name]) => name));
  return names.size === lines.length && !names.has("") ? Object.fromEntries(entries) : lines;
}

async function compareDocuments<T>(
  from: ReadDocument<T>,
  to: ReadDocument<T>,
  view: (value: T) => object,
): Promise<DocumentDiff> {
  const changes = compareValues(view(from.value), view(to.value));
  if (compareValues(from.value, to.value).length > 0) return { changes };
  return { changes, spelling: await findFirstDifference(streamOf(from.bytes), streamOf(to.bytes)) };
}
