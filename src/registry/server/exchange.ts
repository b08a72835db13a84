// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ByteStream } from "../../core/byte-stream.ts";
import { type Digest, isDigest } from "../../oci/index.ts";
import type { Metrics } from "./metrics.ts";
import { RegistryFault } from "./registry-fault.ts";
import type { Route } from "./route.ts";
import type { RegistryStorage } from "./storage/registry-storage.ts";

/** One request and its answer, with what an endpoint needs to serve it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly query: URLSearchParams;
  readonly storage: RegistryStorage;
  readonly metrics: Metrics;
  /** Largest manifest in bytes. */
  readonly maxManifestSize: number;
}

/** Serves one kind of request. Throws a {@link RegistryFault} for each error answer. */
export type Endpoint = (exchange: Exchange) => Promise<void>;

/** What an answer without a body consists of. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

/** Sends a complete answer. The body is left out for HEAD, its length is not. */
export function answer({ request, response }: Exchange, { status, headers = {}, body = "" }: Answer): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const length = status === 204 ? {} : { "content-length": bytes.byteLength };
  response.writeHead(status, { ...length, ...headers } as Record<string, string | number>);
  response.end(request.method === "HEAD" ? undefined : bytes);
}

/** Sends a JSON document. Absent `headers`: `application/json`. */
export function answerJson(exchange: Exchange, value: unknown, headers: Answer["headers"] = {}): void {
  answer(exchange, {
    status: 200,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(value),
  });
}

/** The body of a request. A client that waits for leave to send gets it now, when all checks have passed. */
export function openBody({ request, response }: Exchange): ByteStream {
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  // Whoever stops reading half-way must not thereby cut the connection that the answer goes over.
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

/**
 * What `Content-Length` says. `undefined` for a chunked body.
 *
 * @throws {RegistryFault} 400 `SIZE_INVALID`
 */
export function announcedLength({ request }: Exchange): number | undefined {
  const header = request.headers["content-length"];
  if (header === undefined) return request.headers["transfer-encoding"] === undefined ? 0 : undefined;
  const length = Number(header);
  if (Number.isSafeInteger(length)) return length;
  throw new RegistryFault(400, "SIZE_INVALID", "the announced length is not a number of bytes");
}

/** @throws {RegistryFault} 400 `DIGEST_INVALID` */
export function expectDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryFault(
    400,
    "DIGEST_INVALID",
    "the digest is malformed, or its algorithm is not supported",
  );
}
