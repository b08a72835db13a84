// SPDX-License-Identifier: Apache-2.0
import { EMPTY_DESCRIPTOR, MEDIA_TYPES } from "../../src/oci/index.ts";
import type { FaultyExchange } from "./faulty-registry.ts";
import type { SampleImage } from "./sample-image.ts";

/** Misbehaves in one request and says so with `true`; otherwise the request passes. */
export type Lie = (exchange: FaultyExchange, image: SampleImage) => boolean;

type Act = (exchange: FaultyExchange) => void;

/** In every request. */
export function always(act: Act): Lie {
  return (exchange) => {
    act(exchange);
    return true;
  };
}

/** In requests of this method whose path and query match. */
export function when(method: string, target: RegExp, act: Act): Lie {
  return (exchange) => {
    if (exchange.request.method !== method || !target.test(exchange.target)) return false;
    act(exchange);
    return true;
  };
}

/** Where one of the large blobs of the image is asked for. */
export function onLayer(act: (exchange: FaultyExchange, size: number) => void): Lie {
  return (exchange, { blobs }) => {
    const digest = /\/blobs\/([^/?]+)$/.exec(exchange.target)?.[1];
    const blob = blobs.find((each) => each.digest === digest && each.size > LARGE);
    if (blob === undefined || exchange.request.method !== "GET") return false;
    act(exchange, blob.size);
    return true;
  };
}

const LARGE = 20_000;

/** Where the tag `v1` is asked for: this document in place of what it stands for. */
export function instead(document: string | Uint8Array): Lie {
  return (exchange) => {
    const { reply, request, target } = exchange;
    if (!target.endsWith("/manifests/v1")) return false;
    // Without an answer to HEAD, clients have to look at the document.
    if (request.method === "HEAD") reply(405);
    else reply(200, { "content-type": MEDIA_TYPES.imageManifest }, document);
    return true;
  };
}

/** A manifest with these members in place of the usual ones. */
export function manifestWith(members: object): string {
  const { imageManifest: mediaType } = MEDIA_TYPES;
  const usual = { schemaVersion: 2, mediaType, config: EMPTY_DESCRIPTOR, layers: [EMPTY_DESCRIPTOR] };
  return JSON.stringify({ ...usual, ...members });
}

/** Breaks the connection. */
export const reset: Act = ({ request }) => request.socket.destroy();

/** Sends half of the content, then nothing more, and keeps the connection. */
export function stall({ response }: FaultyExchange, size: number): void {
  response.writeHead(200, { "content-length": size }).write(Buffer.alloc(size / 2));
}

/** Sends half of the content, or of what is left, and closes. */
export function cut({ request, response }: FaultyExchange, size: number): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const range = { "content-range": `bytes ${start}-${size - 1}/${size}` };
  response.writeHead(start > 0 ? 206 : 200, { "content-length": size - start, ...(start > 0 && range) });
  // Not a byte more where a part was asked for, so that no try gets any further.
  response.write(Buffer.alloc(start > 0 ? 0 : size / 2), () => response.destroy());
  if (start > 0) response.flushHeaders();
}

/** Breaks off in the middle, and goes on from the start as if that were the rest. */
export function splice(exchange: FaultyExchange, size: number): void {
  if (exchange.request.headers.range === undefined) {
    cut(exchange, size);
    return;
  }
  const rest = Buffer.alloc(size / 2);
  exchange.reply(206, { "content-range": `bytes 0-${rest.byteLength - 1}/${size}` }, rest);
}

/** Sends as long as somebody reads. */
export function sendForever({ response }: FaultyExchange): void {
  const block = Buffer.alloc(64 * 1024);
  const more = (): void => {
    while (!response.destroyed && response.write(block));
  };
  response.writeHead(200).on("drain", more);
  more();
}
