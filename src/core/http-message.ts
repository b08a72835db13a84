// SPDX-License-Identifier: Apache-2.0
import type { ByteStream } from "./byte-stream.ts";

/** One HTTP request, as it goes out: nothing is added but what HTTP itself needs. */
export interface HttpRequestOptions {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** A stream goes out in chunked encoding unless `content-length` is among the headers. Absent: none. */
  readonly body?: Uint8Array | ByteStream | undefined;
  /** Milliseconds in which nothing moves until the answer begins. Waiting for our own `body` does not count. */
  readonly headersTimeout: number;
  /** Milliseconds without a byte of the answer's body. Waiting for whoever reads it does not count. */
  readonly bodyTimeout: number;
  /** Ends the request, or the answer that is being read, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose body is not read yet: read it to its end, `dump()` or `destroy()` it. */
export interface HttpAnswer {
  readonly statusCode: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: HttpBody;
}

/** The body of an answer. Reading it fails when the connection breaks before its end. */
export interface HttpBody extends AsyncIterable<Uint8Array> {
  /**
   * Reads what is left and forgets it, so that the connection can serve again. Never fails.
   *
   * @param options.limit Bytes after which hanging up is cheaper. Absent: 128 KiB.
   */
  dump(options?: { readonly limit: number }): Promise<void>;
  /** Hangs up. */
  destroy(): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** Keeps the connections of HTTP requests. */
export interface HttpDispatcher {
  /**
   * Sends a request. Redirects are answers like any other. What goes wrong on the network is thrown as it is, with
   * the `code` of the system or library.
   */
  request(url: URL, options: HttpRequestOptions): Promise<HttpAnswer>;
  /** Ends all connections, those in use too. */
  destroy(): Promise<void>;
}
