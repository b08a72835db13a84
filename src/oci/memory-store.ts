// SPDX-License-Identifier: Apache-2.0
import { type ByteStream, collectBytes, streamOf } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import type { ContentSink, ContentSource, PutManifestOptions } from "./content-store.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { blobNotFound, imageNotFound } from "./not-found.ts";
import { verifyBytes, verifyStream } from "./verify-stream.ts";

/** A store that lives as long as the process. */
export interface MemoryStore extends ContentSource, ContentSink {
  /** Tags in the order in which they were given. */
  listTags(): readonly string[];
}

/** An empty store in memory, for tests and small artifacts: it holds whole blobs. */
export function createMemoryStore(): MemoryStore {
  const blobs = new Map<Digest, Uint8Array>();
  const manifests = new Map<Digest, { descriptor: Descriptor; bytes: Uint8Array }>();
  const tags = new Map<string, Descriptor>();
  return {
    openBlob: (descriptor) => openBytes(blobs.get(descriptor.digest), descriptor),
    hasBlob: async ({ digest, size }) => blobs.get(digest)?.byteLength === size,
    async putBlob(descriptor, content, { signal } = {}) {
      blobs.set(descriptor.digest, await collectBytes(verifyStream(content, descriptor, { signal })));
    },
    async resolveManifest(tagOrDigest) {
      const descriptor = tags.get(tagOrDigest) ?? manifests.get(tagOrDigest as Digest)?.descriptor;
      if (descriptor === undefined) throw imageNotFound(tagOrDigest);
      return descriptor;
    },
    async fetchManifest({ digest }) {
      const found = manifests.get(digest);
      if (found === undefined) throw imageNotFound(digest);
      return found.bytes;
    },
    hasManifest: async ({ digest }) => manifests.has(digest),
    async putManifest(descriptor, bytes, { tag }: PutManifestOptions = {}) {
      verifyBytes(bytes, descriptor);
      manifests.set(descriptor.digest, { descriptor, bytes });
      if (tag !== undefined) tags.set(tag, descriptor);
    },
    listTags: () => [...tags.keys()],
  };
}

async function* openBytes(
  bytes: Uint8Array | undefined,
  descriptor: Descriptor,
): ByteStream & AsyncGenerator<Uint8Array> {
  if (bytes === undefined) throw blobNotFound(descriptor.digest);
  if (bytes.byteLength !== descriptor.size)
    throw new ToolingError("SIZE_MISMATCH", `"${descriptor.digest}" has another size`);
  yield* streamOf(new Uint8Array(bytes));
}
