// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../core/byte-stream.ts";
import { forEachConcurrently } from "../core/concurrency.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { BlobSink, BlobSource, ContentSink, ContentSource } from "./content-store.ts";
import type { Descriptor } from "./descriptor.ts";
import {
  type CopyPlan,
  planCopy,
  type PlanCopyOptions,
  type PlannedBlob,
  type PlannedManifest,
} from "./plan-copy.ts";

/** Optional parts of {@link applyCopy}. */
export interface ApplyCopyOptions extends OperationOptions {
  /** Name to give the copy. Absent: it is known by its digest only. */
  readonly tag?: string | undefined;
  /** Blobs on their way at once. Absent: 4. */
  readonly concurrency?: number | undefined;
  /** Tried before a blob is carried over; true when the sink then has it (a registry's cross-repository mount). */
  readonly mountBlob?: ((descriptor: Descriptor, options: OperationOptions) => Promise<boolean>) | undefined;
}

/** Optional parts of {@link copyImage}. */
export type CopyImageOptions = ApplyCopyOptions & PlanCopyOptions;

/**
 * Copies an image or index and all it is made of, as bytes, never written anew: blobs, then manifests, then the index,
 * the tag last. What the sink has is not sent. Safe to run again after a failure. Progress is told per blob, by its name in the plan.
 *
 * @returns `root`
 * @throws {ToolingError} `PLATFORM_UNAVAILABLE` and what the source and the sink throw
 */
export async function copyImage(
  from: ContentSource,
  to: ContentSink,
  root: Descriptor,
  options: CopyImageOptions = {},
): Promise<Descriptor> {
  await applyCopy(await planCopy(from, to, root, options), from, to, options);
  return root;
}

/**
 * Carries a plan out.
 *
 * @throws {ToolingError} what the source and the sink throw
 */
export async function applyCopy(
  plan: CopyPlan,
  from: ContentSource,
  to: ContentSink,
  options: ApplyCopyOptions = {},
): Promise<void> {
  const { signal, onProgress, concurrency = 4 } = options;
  await forEachConcurrently(plan.blobs, { limit: concurrency, signal }, async (blob, signal) => {
    await copyBlob(from, to, blob, { ...options, signal });
  });
  for (const manifest of plan.manifests) {
    signal?.throwIfAborted();
    const { descriptor, name, bytes, isPresent } = manifest;
    for (const tag of namesToWrite(plan, manifest, options.tag)) {
      const content = bytes ?? (await from.fetchManifest(descriptor, { signal }));
      await to.putManifest(descriptor, content, { tag, signal });
    }
    onProgress?.({ type: "finished", what: name, skipped: isPresent });
  }
}

/** The tags under which a manifest is to be written; `undefined` among them is its digest alone. */
function namesToWrite(
  { root, isNamed, tagged }: CopyPlan,
  { descriptor: { digest }, isPresent }: PlannedManifest,
  wished: string | undefined,
): readonly (string | undefined)[] {
  const own = tagged.filter(({ descriptor }) => descriptor.digest === digest).map(({ tag }) => tag);
  const tags = digest === root.digest && wished !== undefined && !isNamed ? [...own, wished] : own;
  return tags.length > 0 || isPresent ? tags : [undefined];
}

/**
 * Carries one blob over, unless it is there or can be mounted.
 *
 * @throws {ToolingError} what the source and the sink throw
 */
export async function copyBlob(
  from: BlobSource,
  to: BlobSink,
  { descriptor: blob, name: what, isPresent }: PlannedBlob,
  { signal, onProgress, mountBlob }: ApplyCopyOptions,
): Promise<void> {
  const isThere = isPresent || (await mountBlob?.(blob, { signal })) === true;
  if (!isThere) {
    onProgress?.({ type: "started", what, total: blob.size });
    // Can be read again from the start: a registry that forgets a long upload does not end the copy.
    const content: ByteStream = {
      [Symbol.asyncIterator]: () => countBytes(from.openBlob(blob, { signal }), what, onProgress),
    };
    await to.putBlob(blob, content, { signal });
  }
  onProgress?.({ type: "finished", what, skipped: isThere });
}

async function* countBytes(
  content: ByteStream,
  what: string,
  onProgress: OperationOptions["onProgress"],
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of content) {
    done += chunk.byteLength;
    onProgress?.({ type: "advanced", what, done });
    yield chunk;
  }
}
