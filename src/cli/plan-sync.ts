// SPDX-License-Identifier: Apache-2.0
import { mapConcurrently } from "../core/concurrency.ts";
import { ToolingError } from "../core/error.ts";
import { type Descriptor, openLayoutStore, parseReference, REF_NAME } from "../oci/index.ts";
import type { CommandContext } from "./command.ts";
import { formatImagePlace, type ImagePlace, parseImagePlace } from "./image-place.ts";
import { openSourcePlace, openTargetPlace } from "./open-place.ts";
import { type CopyAccess, openRepository, type OpenRepositoryOptions } from "./registry-access.ts";
import { matchesTag, type SyncWish } from "./sync-list.ts";

type StorePlace = Extract<ImagePlace, { kind: "registry" | "oci" }>;

/** One image, where it goes, and whether that is to be done. */
export interface SyncStep {
  readonly from: StorePlace;
  readonly to: StorePlace;
  /** What is copied, also when the tag of the source moves meanwhile. */
  readonly root: Descriptor;
  /** `missing`: no such tag; `outdated`: the tag stands for something else; `same`: nothing to do. */
  readonly state: "missing" | "outdated" | "same";
}

const AT_ONCE = 4;

/**
 * Compares what is wished with what is there, tag by tag. Changes nothing.
 *
 * @throws {ToolingError} `COMMAND_USAGE`, `IMAGE_NOT_FOUND` and what registries answer
 */
export async function planSync(
  wishes: readonly SyncWish[],
  context: CommandContext,
  access: CopyAccess,
): Promise<readonly SyncStep[]> {
  const pairs: { from: StorePlace; to: StorePlace }[] = [];
  for (const { from, to, tags } of wishes) {
    const source = storePlace(from, context.cwd);
    const target = storePlace(to, context.cwd);
    const names = tags === undefined ? undefined : await listMatching(source, tags, context, access.source);
    if (names === undefined) pairs.push({ from: source, to: nameLike(source, target) });
    else pairs.push(...names.map((tag) => ({ from: named(source, tag), to: named(target, tag) })));
  }
  return await mapConcurrently(pairs, { limit: AT_ONCE, signal: context.signal }, async ({ from, to }) => {
    const { root } = await openSourcePlace(from, context, access.source);
    return { from, to, root, state: await compareTarget(to, root, context, access.target) };
  });
}

function storePlace(text: string, cwd: string): StorePlace {
  const place = parseImagePlace(text, cwd);
  if (place.kind === "registry" || place.kind === "oci") return place;
  throw new ToolingError("COMMAND_USAGE", `"${text}" cannot be synchronised`, {
    hint: "Name a repository of a registry, or oci:DIR.",
  });
}

async function listMatching(
  source: StorePlace,
  patterns: readonly string[],
  context: CommandContext,
  access: OpenRepositoryOptions,
): Promise<string[]> {
  if (nameOf(source) !== undefined) {
    throw new ToolingError(
      "COMMAND_USAGE",
      `"${formatImagePlace(source)}" names one image, and tags were given`,
      {
        hint: "Leave the tag away.",
      },
    );
  }
  const found: string[] = [];
  for await (const tag of listTags(source, context, access)) {
    if (patterns.some((pattern) => matchesTag(tag, pattern))) found.push(tag);
  }
  return found;
}

async function* listTags(
  source: StorePlace,
  context: CommandContext,
  access: OpenRepositoryOptions,
): AsyncGenerator<string> {
  if (source.kind === "registry") {
    const repository = await openRepository(source.reference, context, access);
    yield* repository.listTags({ signal: context.signal });
    return;
  }
  const store = await openLayoutStore(source.folder, { create: false });
  for (const { annotations } of await store.listRoots()) {
    const name = annotations?.[REF_NAME];
    if (name !== undefined) yield name;
  }
}

function nameOf(place: StorePlace): string | undefined {
  return place.kind === "oci" ? place.name : (place.reference.digest ?? place.reference.tag);
}

function named(place: StorePlace, tag: string): StorePlace {
  if (place.kind === "oci") return { ...place, name: tag };
  const { registry, repository } = place.reference;
  return { kind: "registry", reference: { registry, repository, tag } };
}

/** A target without a tag takes that of the source. */
function nameLike(source: StorePlace, target: StorePlace): StorePlace {
  if (nameOf(target) !== undefined) return target;
  const tag = source.kind === "oci" ? source.name : (source.reference.tag ?? "latest");
  if (tag === undefined) return target;
  return named(
    target,
    source.kind === "oci" && tag.includes("/") ? (parseReference(tag).tag ?? "latest") : tag,
  );
}

async function compareTarget(
  to: StorePlace,
  { digest }: Descriptor,
  context: CommandContext,
  access: OpenRepositoryOptions,
): Promise<SyncStep["state"]> {
  try {
    const { sink, tag } = await openTargetPlace(to, context, access);
    const there = await sink.resolveManifest(nameOf(to) ?? tag ?? digest, { signal: context.signal });
    return there.digest === digest ? "same" : "outdated";
  } catch (error) {
    if (error instanceof ToolingError && error.code === "IMAGE_NOT_FOUND") return "missing";
    throw error;
  }
}
