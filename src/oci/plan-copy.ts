// SPDX-License-Identifier: Apache-2.0
import { mapConcurrently } from "../core/concurrency.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { ContentSink, ContentSource } from "./content-store.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { nameChild, nameManifest } from "./content-name.ts";
import type { FindTagged, TaggedManifest } from "./cosign-tags.ts";
import { childrenOf, isManifestDescriptor } from "./manifest-children.ts";
import { isIndexMediaType } from "./media-type.ts";
import { type ParsedManifest, parseManifest } from "./parse-manifest.ts";
import { type ListReferrersOf, readReferrerTree } from "./referrer-tree.ts";
import { matchesPlatform, selectPlatform } from "./select-platform.ts";
import { verifyBytes } from "./verify-stream.ts";

/** What a copy is going to do: data, made without changing anything. */
export interface CopyPlan {
  readonly root: Descriptor;
  /** Whether the target's name stands for the root already, so that nobody needs to write it. */
  readonly isNamed: boolean;
  /** Children before their parents, what is about the image before the image; the root is the last. */
  readonly manifests: readonly PlannedManifest[];
  readonly blobs: readonly PlannedBlob[];
  /** Manifests that are about the image or a part of it. */
  readonly referrers: readonly Descriptor[];
  /** Manifests that are about the image or a part of it by their tag, which the target gets too. */
  readonly tagged: readonly TaggedManifest[];
}

/** One manifest of a {@link CopyPlan}. */
export interface PlannedManifest {
  readonly descriptor: Descriptor;
  /** What it is, for people: `manifest linux/arm64 (3f2a91c0b7de)`. */
  readonly name: string;
  /** Exactly as the source gave them. Absent: not read, because the target has it under its name. */
  readonly bytes?: Uint8Array | undefined;
  /** Whether the target has it already. */
  readonly isPresent: boolean;
}

/** One blob of a {@link CopyPlan}. */
export interface PlannedBlob {
  readonly descriptor: Descriptor;
  /** What it is, for people: `layer 2 of 9 linux/arm64 (3f2a91c0b7de)`. */
  readonly name: string;
  /** Whether the target has it already. */
  readonly isPresent: boolean;
}

/** Optional parts of {@link planCopy}. */
export interface PlanCopyOptions extends OperationOptions {
  /** `os/architecture[/variant]` each; of an index, only manifests for these are copied. Absent: all. */
  readonly platforms?: readonly string[] | undefined;
  /** Lists what is about a manifest of the source, which is then copied too. Absent: it stays behind. */
  readonly listReferrers?: ListReferrersOf | undefined;
  /** Finds what is about a manifest of the source by its tag, which is then copied too. Absent: it stays behind. */
  readonly findTagged?: FindTagged | undefined;
  /**
   * What the name that the copy is to get stands for now. A root that has its name is there, and a manifest that is
   * there has all its blobs: registries refuse one whose blobs they miss. So nothing more is asked about it.
   * Absent: nothing, or it is not known.
   */
  readonly named?: Descriptor | undefined;
  /** Questions to the target at once. Absent: 4. */
  readonly concurrency?: number | undefined;
}

/**
 * Finds out what a copy of an image or index has to carry over. Reads manifests, and asks the target what it has.
 *
 * @throws {ToolingError} `PLATFORM_UNAVAILABLE`, `MANIFEST_INVALID` and what the source and the target throw
 */
export async function planCopy(
  from: ContentSource,
  to: ContentSink,
  root: Descriptor,
  options: PlanCopyOptions = {},
): Promise<CopyPlan> {
  const { listReferrers, signal, concurrency = 4 } = options;
  const walk: CopyWalk = { from, to, manifests: new Map(), blobs: new Map(), subjects: new Map() };
  await walkManifest(walk, root, { options, depth: 0 });
  const referrers: Descriptor[] = [];
  if (listReferrers !== undefined) {
    // Walking the referrers adds to the subjects, but their trees are read already.
    const subjects = [...walk.subjects.keys()];
    for (const subject of subjects) {
      referrers.push(...(await walkReferrers(walk, subject, listReferrers, options)));
    }
  }
  const tagged = await walkTagged(walk, options);
  const planned = walk.manifests.get(root.digest);
  const others = [...walk.manifests.values()].filter((each) => each !== planned);
  const blobs = await mapConcurrently(
    walk.blobs.values(),
    { limit: concurrency, signal },
    async ({ descriptor, name }, signal) => {
      return { descriptor, name, isPresent: await to.hasBlob(descriptor, { signal }) };
    },
  );
  const manifests = planned === undefined ? others : [...others, planned];
  return { root, isNamed: options.named?.digest === root.digest, manifests, blobs, referrers, tagged };
}

interface CopyWalk {
  readonly from: ContentSource;
  readonly to: ContentSink;
  /** Children before their parents. */
  readonly manifests: Map<Digest, PlannedManifest>;
  readonly blobs: Map<Digest, Omit<PlannedBlob, "isPresent">>;
  /** Every manifest that was met, those that need no copy included. */
  readonly subjects: Map<Digest, Descriptor>;
}

interface WalkContext {
  readonly options: PlanCopyOptions;
  readonly depth: number;
  /** What the manifest must say that it is about. Absent: anything. */
  readonly subject?: Digest;
}

const DEEPEST_INDEX = 8;

/** A manifest of the source, and how much of it the target has. */
interface MetManifest {
  readonly descriptor: Descriptor;
  readonly isPresent: boolean;
  /** Absent: it was not read, because the target has all of it. */
  readonly document?: { readonly bytes: Uint8Array; readonly parsed: ParsedManifest };
  /** Parts that the target may lack. */
  readonly children: readonly Descriptor[];
}

async function walkManifest(walk: CopyWalk, descriptor: Descriptor, context: WalkContext): Promise<void> {
  if (walk.manifests.has(descriptor.digest)) return;
  await enterManifest(walk, await meetManifest(walk, descriptor, context), context);
}

async function meetManifest(
  { from, to }: CopyWalk,
  descriptor: Descriptor,
  { options, depth, subject }: WalkContext,
): Promise<MetManifest> {
  const { named, platforms, signal } = options;
  if (depth > DEEPEST_INDEX) {
    throw new ToolingError("MANIFEST_INVALID", `index "${descriptor.digest}" is nested too deeply`);
  }
  const isNamed = named?.digest === descriptor.digest;
  const isPresent = isNamed || (await to.hasManifest(descriptor, { signal }));
  // An index may be there without all it lists, when fewer platforms were copied before; a manifest may not.
  const isComplete = isPresent && !isIndexMediaType(descriptor.mediaType);
  if (isComplete && (isNamed || depth > 0)) return { descriptor, isPresent, children: [] };
  const bytes = await from.fetchManifest(descriptor, { signal });
  verifyBytes(bytes, descriptor);
  const parsed = parseManifest(bytes, descriptor.mediaType);
  if (subject !== undefined) checkSubject(parsed, descriptor, subject);
  const children = isComplete ? [] : childrenToCopy(parsed, platforms);
  return { descriptor, isPresent, document: { bytes, parsed }, children };
}

async function enterManifest(
  walk: CopyWalk,
  { descriptor, isPresent, document, children }: MetManifest,
  { options, depth }: WalkContext,
): Promise<void> {
  const { concurrency: limit = 4, signal } = options;
  walk.subjects.set(descriptor.digest, descriptor);
  if (document === undefined && depth > 0) return;
  const parts = children.filter((child) => isManifestDescriptor(child) && !walk.manifests.has(child.digest));
  const met = await mapConcurrently(
    new Map(parts.map((part) => [part.digest, part])).values(),
    { limit, signal },
    async (part, signal) => meetManifest(walk, part, { options: { ...options, signal }, depth: depth + 1 }),
  );
  for (const part of met) await enterManifest(walk, part, { options, depth: depth + 1 });
  for (const child of children) {
    if (document === undefined || isManifestDescriptor(child) || walk.blobs.has(child.digest)) continue;
    const name = nameChild(child, document.parsed, descriptor.platform);
    walk.blobs.set(child.digest, { descriptor: child, name });
  }
  const name = nameManifest(descriptor);
  walk.manifests.set(descriptor.digest, { descriptor, name, bytes: document?.bytes, isPresent });
}

function childrenToCopy(
  parsed: ParsedManifest,
  platforms: readonly string[] | undefined,
): readonly Descriptor[] {
  if (parsed.kind === "manifest" || platforms === undefined) return childrenOf(parsed);
  for (const wanted of platforms) selectPlatform(parsed.index, wanted);
  return parsed.index.manifests.filter(({ platform }) =>
    platforms.some((wanted) => matchesPlatform(platform, wanted)),
  );
}

async function walkReferrers(
  walk: CopyWalk,
  root: Digest,
  listReferrers: ListReferrersOf,
  options: PlanCopyOptions,
): Promise<Descriptor[]> {
  const found: Descriptor[] = [];
  const tree = await readReferrerTree(listReferrers, root, options);
  const open = tree.map((node) => ({ node, subject: root }));
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { descriptor, referrers } = next.node;
    await walkManifest(walk, descriptor, { options, depth: 0, subject: next.subject });
    found.push(descriptor);
    open.push(...referrers.map((node) => ({ node, subject: descriptor.digest })));
  }
  return found;
}

async function walkTagged(walk: CopyWalk, options: PlanCopyOptions): Promise<readonly TaggedManifest[]> {
  const { concurrency = 4, findTagged, signal } = options;
  if (findTagged === undefined) return [];
  const found = await mapConcurrently(
    [...walk.subjects.keys()],
    { limit: concurrency, signal },
    async (subject, signal) => findTagged(subject, { signal }),
  );
  const tagged = found.flat();
  for (const { descriptor } of tagged) await walkManifest(walk, descriptor, { options, depth: 0 });
  return tagged;
}

/** A list of referrers is a claim of the registry; what counts is what the manifest itself says. */
function checkSubject(parsed: ParsedManifest, { digest }: Descriptor, expected: Digest): void {
  const { subject } = parsed.kind === "index" ? parsed.index : parsed.manifest;
  if (subject?.digest === expected) return;
  throw new ToolingError("MANIFEST_INVALID", `"${digest}" is listed for "${expected}" but is not about it`, {
    hint: "Ask whoever runs that registry, or copy without referrers.",
  });
}
