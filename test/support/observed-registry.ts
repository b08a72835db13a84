// SPDX-License-Identifier: Apache-2.0
import { request as sendRequest } from "node:http";
import { type Digest, digestOf } from "../../src/oci/index.ts";

/** What a registry answered, read to its end. */
export interface Observed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Path and query of the `Location` header. Absent: none was sent. */
  readonly location: string;
}

/** Optional parts of {@link ObservedRegistry.send}. */
export interface SendOptions {
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends the body without saying how long it is. */
  readonly isStream?: boolean;
}

/** Asks a registry without any client of ours, and takes every answer as it is. */
export class ObservedRegistry {
  readonly #host: string;
  /** A repository that no other test uses. */
  readonly repository: string;

  constructor(host: string, repository: string) {
    this.#host = host;
    this.repository = repository;
  }

  async send(method: string, path: string, options: SendOptions = {}): Promise<Observed> {
    const { body = "", headers = {}, isStream = false } = options;
    const [hostname, port] = this.#host.split(":");
    const length = isStream ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const type = method === "GET" || method === "HEAD" ? {} : { "content-type": "application/octet-stream" };
    return new Promise((resolve, reject) => {
      const target = { hostname, port, method, path, headers: { ...type, ...length, ...headers } };
      const request = sendRequest(target, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.once("error", reject).once("end", () => {
          const { statusCode: status = 0, headers: seen } = answer;
          const location = pathOf(seen.location, this.#host);
          resolve({ status, headers: seen, body: Buffer.concat(chunks), location });
        });
      });
      request.once("error", reject).end(body);
    });
  }

  /** `blobs/DIGEST`, `manifests/TAG` and so on, of the repository. */
  path(rest: string, repository: string = this.repository): string {
    return `/v2/${repository}/${rest}`;
  }

  async startUpload(query = ""): Promise<Observed> {
    return this.send("POST", this.path(`blobs/uploads/${query}`));
  }

  /** The address that ends an upload. */
  closing({ location }: Pick<Observed, "location">, digest: string): string {
    return `${location}${location.includes("?") ? "&" : "?"}digest=${digest}`;
  }

  /** Pushes a blob as all registries take it. Gives the status of the last request. */
  async pushBlob(content: string | Uint8Array, digest: Digest = digestOf(content)): Promise<number> {
    const upload = await this.startUpload();
    return (await this.send("PUT", this.closing(upload, digest), { body: content })).status;
  }

  /** `same`, when the registry gives the content back as it was, otherwise what it says instead. */
  async compare(
    path: string,
    content: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const { status, body } = await this.send("GET", path, { headers });
    if (status !== 200) return String(status);
    return body.equals(Buffer.from(content)) ? "same" : "different";
  }
}

function pathOf(location: string | undefined, host: string): string {
  if (location === undefined) return "";
  const { pathname, search } = new URL(location, `http://${host}`);
  return pathname + search;
}
