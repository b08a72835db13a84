// SPDX-License-Identifier: Apache-2.0
import type { RegistryTransport } from "./registry-transport.ts";

/** The endpoints of one repository (distribution-spec v1.1.1, "Endpoints"). */
export class RepositoryApi {
  readonly transport: RegistryTransport;
  /** `host/name`, for messages. */
  readonly title: string;
  readonly #repository: string;

  constructor(transport: RegistryTransport, registry: string, repository: string) {
    this.transport = transport;
    this.title = `${registry}/${repository}`;
    this.#repository = repository;
  }

  get pull(): readonly string[] {
    return [`repository:${this.#repository}:pull`];
  }
  get push(): readonly string[] {
    return [`repository:${this.#repository}:pull,push`];
  }
  get delete(): readonly string[] {
    return [`repository:${this.#repository}:pull,push,delete`];
  }
  mountScopes(from: string): readonly string[] {
    return [...this.push, `repository:${from}:pull`];
  }

  blob(digest: string): URL {
    return this.#url(`blobs/${digest}`);
  }
  uploads(query: Readonly<Record<string, string>> = {}): URL {
    return this.#url("blobs/uploads/", query);
  }
  manifest(reference: string, query: Readonly<Record<string, string>> = {}): URL {
    return this.#url(`manifests/${reference}`, query);
  }
  tags(query: Readonly<Record<string, string>> = {}): URL {
    return this.#url("tags/list", query);
  }
  referrers(digest: string, query: Readonly<Record<string, string>> = {}): URL {
    return this.#url(`referrers/${digest}`, query);
  }

  #url(path: string, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(`/v2/${this.#repository}/${path}`, this.transport.url);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }
}
