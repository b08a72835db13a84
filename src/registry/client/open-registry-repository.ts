// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "../../core/byte-stream.ts";
import { createHttpDispatcher } from "../../core/http-dispatcher.ts";
import type { HttpDispatcher } from "../../core/http-message.ts";
import type { OperationOptions } from "../../core/operation.ts";
import {
  type ContentSink,
  type ContentSource,
  type Descriptor,
  type Digest,
  type PutManifestOptions,
  type Reference,
} from "../../oci/index.ts";
import { Authorizer } from "./authorizer.ts";
import type { CredentialSource } from "./credentials.ts";
import { deleteBlob, deleteManifest, deleteTag } from "./delete-content.ts";
import { downloadBlob } from "./download-blob.ts";
import { changeFallback } from "./fallback-tag.ts";
import { listReferrers, type ListReferrersOptions } from "./list-referrers.ts";
import { listTags } from "./list-tags.ts";
import { mountBlob, type MountBlobOptions } from "./mount-blob.ts";
import { fetchManifest, resolveManifest } from "./pull-manifest.ts";
import { pushManifest } from "./push-manifest.ts";
import { registryUrl } from "./registry-address.ts";
import { RegistryTransport } from "./registry-transport.ts";
import { RepositoryApi } from "./repository-api.ts";
import { describeReferrer } from "./referrer.ts";
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "./retry.ts";
import { uploadBlob } from "./upload-blob.ts";
import { cancelSession, type UploadSession } from "./upload-session.ts";

/** How a registry is reached. All may be left out. */
export interface RegistryRepositoryOptions {
  /** Absent: nobody is logged in. */
  readonly credentials?: CredentialSource | undefined;
  /** Absent: plain HTTP for this machine, TLS for all others. */
  readonly plainHttp?: boolean | undefined;
  /** Makes the connections; share one. Absent: one without proxy, shared by all that give none. */
  readonly dispatcher?: HttpDispatcher | undefined;
  /** Absent: `toolbox`. */
  readonly userAgent?: string | undefined;
  /** Bytes of one upload request, for proxies that refuse large ones. Absent: a blob is one request. */
  readonly chunkSize?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. Absent: 60 000. */
  readonly idleTimeout?: number | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Told each warning of the registry once. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** One repository of a registry: a store that images are copied from and to, and what only registries have. */
export interface RegistryRepository extends ContentSource, ContentSink {
  /** As in references. */
  readonly registry: string;
  readonly repository: string;
  /** All tags, in the registry's order. @throws {ToolingError} `IMAGE_NOT_FOUND` */
  listTags(options?: OperationOptions): AsyncIterable<string>;
  /** What is about a manifest. Works with registries that have no referrers API too. */
  listReferrers(subject: Digest, options?: ListReferrersOptions): Promise<Descriptor[]>;
  /** Has a blob lent from another repository of the registry. `false`: it must be sent. */
  mountBlob(descriptor: Descriptor, options?: MountBlobOptions): Promise<boolean>;
  /** Deletes a manifest with all its tags. */
  deleteManifest(digest: Digest, options?: OperationOptions): Promise<void>;
  /** Deletes a tag and nothing else; some registries cannot. */
  deleteTag(tag: string, options?: OperationOptions): Promise<void>;
  deleteBlob(digest: Digest, options?: OperationOptions): Promise<void>;
}

/**
 * Opens a repository. Nothing is asked of the registry before it is used. Keep the object: it knows the registry's
 * tokens and habits.
 *
 * @throws {ToolingError} `REFERENCE_INVALID`
 */
export function openRegistryRepository(
  { registry, repository }: Pick<Reference, "registry" | "repository">,
  options: RegistryRepositoryOptions = {},
): RegistryRepository {
  const {
    chunkSize,
    credentials,
    idleTimeout = 60_000,
    onWarning,
    plainHttp,
    retry,
    userAgent = "toolbox",
  } = options;
  const dispatcher = options.dispatcher ?? defaultDispatcher();
  const url = registryUrl(registry, { plainHttp });
  const authorizer = new Authorizer({ registry, repository, url, credentials, dispatcher, userAgent });
  const transport = new RegistryTransport({
    url,
    dispatcher,
    authorizer,
    userAgent,
    retry: { ...DEFAULT_RETRY_POLICY, ...retry },
    idleTimeout,
    onWarning,
  });
  return new HttpRepository(new RepositoryApi(transport, registry, repository), {
    registry,
    repository,
    chunkSize,
  });
}

let shared: HttpDispatcher | undefined;

function defaultDispatcher(): HttpDispatcher {
  shared ??= createHttpDispatcher();
  return shared;
}

class HttpRepository implements RegistryRepository {
  readonly registry: string;
  readonly repository: string;
  readonly #api: RepositoryApi;
  readonly #chunkSize: number | undefined;
  /** Uploads that a registry opened when it was asked to mount: the blob goes there. */
  readonly #sessions = new Map<Digest, UploadSession>();

  constructor(
    api: RepositoryApi,
    {
      registry,
      repository,
      chunkSize,
    }: { registry: string; repository: string; chunkSize: number | undefined },
  ) {
    this.#api = api;
    this.registry = registry;
    this.repository = repository;
    this.#chunkSize = chunkSize;
  }

  openBlob(descriptor: Descriptor, options: OperationOptions = {}): ByteStream {
    return downloadBlob(this.#api, descriptor, options);
  }

  async hasBlob({ digest }: Descriptor, options: OperationOptions = {}): Promise<boolean> {
    return this.#has(this.#api.blob(digest), {}, options);
  }

  async putBlob(descriptor: Descriptor, content: ByteStream, options: OperationOptions = {}): Promise<void> {
    const session = this.#sessions.get(descriptor.digest);
    this.#sessions.delete(descriptor.digest);
    await uploadBlob(this.#api, descriptor, content, { ...options, session, chunkSize: this.#chunkSize });
  }

  async resolveManifest(tagOrDigest: string, options: OperationOptions = {}): Promise<Descriptor> {
    return resolveManifest(this.#api, tagOrDigest, options);
  }

  async fetchManifest(descriptor: Descriptor, options: OperationOptions = {}): Promise<Uint8Array> {
    return fetchManifest(this.#api, descriptor, options);
  }

  async hasManifest({ digest, mediaType }: Descriptor, options: OperationOptions = {}): Promise<boolean> {
    return this.#has(this.#api.manifest(digest), { accept: mediaType }, options);
  }

  /** Where the registry keeps no list of referrers, the one under the fallback tag is kept. */
  async putManifest(
    descriptor: Descriptor,
    bytes: Uint8Array,
    options: PutManifestOptions = {},
  ): Promise<void> {
    const { unlistedSubject } = await pushManifest(this.#api, descriptor, bytes, options);
    if (unlistedSubject === undefined) return;
    const referrer = describeReferrer(descriptor, bytes);
    const isOther = (entry: Descriptor): boolean => entry.digest !== descriptor.digest;
    const change = (list: readonly Descriptor[]): readonly Descriptor[] =>
      list.every(isOther) ? [...list, referrer] : list;
    await changeFallback(this.#api, unlistedSubject.digest, change, options);
  }

  listTags(options: OperationOptions = {}): AsyncIterable<string> {
    return listTags(this.#api, options);
  }

  async listReferrers(subject: Digest, options: ListReferrersOptions = {}): Promise<Descriptor[]> {
    return listReferrers(this.#api, subject, options);
  }

  async mountBlob(descriptor: Descriptor, options: MountBlobOptions = {}): Promise<boolean> {
    const outcome = await mountBlob(this.#api, descriptor, options);
    if (outcome === true || outcome === undefined) return outcome === true;
    const earlier = this.#sessions.get(descriptor.digest);
    this.#sessions.set(descriptor.digest, outcome);
    if (earlier !== undefined) await cancelSession(this.#api, earlier);
    return false;
  }

  async deleteManifest(digest: Digest, options: OperationOptions = {}): Promise<void> {
    await deleteManifest(this.#api, digest, options);
  }

  async deleteTag(tag: string, options: OperationOptions = {}): Promise<void> {
    await deleteTag(this.#api, tag, options);
  }

  async deleteBlob(digest: Digest, options: OperationOptions = {}): Promise<void> {
    await deleteBlob(this.#api, digest, options);
  }

  async #has(url: URL, headers: Record<string, string>, options: OperationOptions): Promise<boolean> {
    const request = { method: "HEAD", url, headers, scopes: this.#api.pull } as const;
    const response = await this.#api.transport.send({ ...request, accept: [200, 404] }, options);
    await response.body.dump();
    return response.status === 200;
  }
}
