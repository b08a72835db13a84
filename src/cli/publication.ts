// SPDX-License-Identifier: Apache-2.0
import type { BuiltLayer, PlannedLayer } from "../build/index.ts";
import {
  applyCopy,
  type ApplyCopyOptions,
  type ContentSource,
  copyBlob,
  type Descriptor,
  type Digest,
  planCopy,
} from "../oci/index.ts";
import type { RegistryRepository } from "../registry/client/index.ts";
import type { CommandContext } from "./command.ts";
import { nameReferences, openRepository, type PublishTarget } from "./registry-access.ts";

/** An image under one of its tags. */
export interface Published {
  readonly name: string;
  readonly reference: string;
  readonly digest: string;
}

/** Layers on their way at once while others are being made: the encoders need the machine more. */
const MOST_EARLY = 2;

/** A layer that was made a moment ago. */
interface EarlyLayer {
  readonly image: string;
  readonly layer: PlannedLayer;
  readonly built: BuiltLayer;
}

/**
 * Images on their way from the local store to a registry. Layers may go ahead while others are still being made; nobody
 * sees them before their image is named. What a repository of the registry has, the others borrow.
 */
export class Publication {
  readonly #target: PublishTarget;
  readonly #store: ContentSource;
  readonly #context: CommandContext;
  readonly #repositories = new Map<string, Promise<RegistryRepository>>();
  /** Where each blob is known to be. */
  readonly #holders = new Map<Digest, RegistryRepository>();
  readonly #stopped = new AbortController();
  readonly #waiting: EarlyLayer[] = [];
  readonly #senders = new Set<Promise<void>>();

  constructor(target: PublishTarget, store: ContentSource, context: CommandContext) {
    this.#target = target;
    this.#store = store;
    this.#context = context;
  }

  /** Sends a layer ahead, in its turn. A failure is left to {@link publish}, which sends what is missing. */
  sendAhead(layer: EarlyLayer): void {
    this.#waiting.push(layer);
    if (this.#senders.size >= MOST_EARLY) return;
    const sender: Promise<void> = this.#sendWaiting().finally(() => this.#senders.delete(sender));
    this.#senders.add(sender);
  }

  /**
   * Sends all of an image that the registry lacks, and names it.
   *
   * @throws {ToolingError} what the store and the registry throw
   */
  async publish(image: string, root: Descriptor): Promise<readonly Published[]> {
    await Promise.all(this.#senders);
    const { signal, onProgress } = this.#context;
    const references = nameReferences(this.#target, image);
    const repository = await this.#open(image);
    const [tag, ...more] = this.#target.tags;
    const plan = await planCopy(this.#store, repository, root, { signal });
    const mountBlob = this.#mountInto(repository);
    await applyCopy(plan, this.#store, repository, { tag, mountBlob, signal, onProgress });
    for (const { descriptor } of plan.blobs) this.#holders.set(descriptor.digest, repository);
    for (const tag of more) {
      await repository.putManifest(root, await this.#store.fetchManifest(root, { signal }), { tag, signal });
    }
    return references.map((reference) => ({ name: image, reference, digest: root.digest }));
  }

  /** Stops what is on its way. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#senders);
  }

  async #sendWaiting(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#send(next);
      } catch {
        // The registry may be back when the image itself is published; if not, that says what is wrong.
        this.#stopped.abort();
      }
    }
  }

  async #send({ image, layer, built }: EarlyLayer): Promise<void> {
    const { onProgress } = this.#context;
    const signal = AbortSignal.any([this.#context.signal, this.#stopped.signal]);
    signal.throwIfAborted();
    const repository = await this.#open(image);
    for (const { mediaType, digest, size } of built.record.blobs) {
      const descriptor = { mediaType, digest, size };
      const name = `push ${layer.name} ${layer.platform}`;
      const isPresent = await repository.hasBlob(descriptor, { signal });
      await copyBlob(this.#store, repository, { descriptor, name, isPresent }, { signal, onProgress });
      this.#holders.set(digest, repository);
    }
  }

  async #open(image: string): Promise<RegistryRepository> {
    const { prefix, access } = this.#target;
    const known = this.#repositories.get(image);
    if (known !== undefined) return await known;
    const opening = openRepository(`${prefix}/${image}`, this.#context, access);
    this.#repositories.set(image, opening);
    return await opening;
  }

  #mountInto(repository: RegistryRepository): ApplyCopyOptions["mountBlob"] {
    return async (descriptor, options) => {
      const holder = this.#holders.get(descriptor.digest);
      if (holder === undefined || holder.repository === repository.repository) return false;
      return await repository.mountBlob(descriptor, { ...options, from: holder.repository });
    };
  }
}
