// SPDX-License-Identifier: Apache-2.0
import { getGlobalDispatcher } from "undici";
import { expect } from "vitest";
import { type Digest, digestOf, EMPTY_BYTES, EMPTY_DESCRIPTOR, MEDIA_TYPES } from "../../src/oci/index.ts";

/** An answer of a registry, read to its end. */
export interface Asked {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The `Location` header. */
  readonly location: string;
}

/** What goes with a request, and what is expected besides the status. */
export interface AskOptions {
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  /** The code in the error body. */
  readonly code?: string;
}

/** Asks a registry without any client of ours in between. */
export class RawRegistry {
  readonly #url: () => string;

  constructor(url: () => string) {
    this.#url = url;
  }

  async ask(method: string, path: string, status: number, options: AskOptions = {}): Promise<Asked> {
    const { body = null, code, headers = {} } = options;
    // Not by `URL`, which would tidy odd paths up.
    const target = { origin: this.#url(), path, method: method as "GET", headers, body };
    const answer = await getGlobalDispatcher().request(target);
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    const seen = [answer.statusCode, method, path, String(bytes).slice(0, 300)];
    expect(seen).toEqual([status, method, path, expect.anything()]);
    if (code !== undefined) expect(JSON.parse(String(bytes))).toMatchObject({ errors: [{ code }] });
    return { headers: answer.headers, body: bytes, location: String(answer.headers["location"]) };
  }

  async pushBlob(repository: string, content: string | Uint8Array): Promise<Digest> {
    const digest = digestOf(content);
    await this.ask("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, 201, { body: content });
    return digest;
  }

  /** A small artifact. Absent `tag`: by digest. */
  async pushManifest(
    repository: string,
    tag?: string,
    members: object = {},
    indent = "",
  ): Promise<{ bytes: Buffer; digest: Digest }> {
    await this.pushBlob(repository, EMPTY_BYTES);
    const document = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageManifest,
      artifactType: "x/y",
      config: EMPTY_DESCRIPTOR,
      layers: [EMPTY_DESCRIPTOR],
      ...members,
    };
    const bytes = Buffer.from(JSON.stringify(document, null, indent));
    const digest = digestOf(bytes);
    const headers = { "content-type": `${MEDIA_TYPES.imageManifest}; charset=utf-8` };
    await this.ask("PUT", `/v2/${repository}/manifests/${tag ?? digest}`, 201, { body: bytes, headers });
    return { bytes, digest };
  }
}
