// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { ToolingError } from "../core/error.ts";
import type { HttpAnswer, HttpDispatcher } from "../core/http-message.ts";
import {
  describeNetworkError,
  describeStatus,
  htmlInstead,
  isNetworkError,
  otherSize,
  tooLarge,
  truncated,
} from "./download-failure.ts";
import type { FileRequest } from "./fetch-file.ts";
import { getOverHttp } from "./http-get.ts";
import { isTemporaryFailure, isTemporaryStatus } from "../core/temporary-failure.ts";
import { delayBefore } from "./retry.ts";

/** What downloads need from outside. */
export interface DownloadContext {
  readonly dispatcher: HttpDispatcher;
  readonly idleTimeout: number;
  readonly now: () => Date;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Longest wait in milliseconds between two tries, whatever a server asks for. */
  readonly longestDelay: number;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((total: number) => void) | undefined;
  readonly onTotal?: ((total: number | undefined) => void) | undefined;
  readonly onNote?: ((note: string) => void) | undefined;
}

/** A complete download in its partial file. */
export interface Download {
  readonly sha256: string;
  /** Subresource Integrity, sha512. Absent: the request does not ask for it. */
  readonly integrity?: string | undefined;
  readonly size: number;
  /** Some of its bytes come from an earlier request, so a wrong digest may be that one's fault. */
  readonly resumed: boolean;
}

const MOST_TRIES = 5;
/** A try that brings this much is progress, and progress gives the tries back. */
const PROGRESS = 1024 * 1024;
const DEFAULT_MAX_SIZE = 2 * 1024 ** 3;

/**
 * Downloads `request` into the file at `partial`, going on from what it already holds. Network errors and
 * short bodies are tried again; digests are the caller's to compare.
 *
 * @throws {ToolingError} `DOWNLOAD_TRUNCATED`, `DOWNLOAD_FAILED`, `NETWORK_UNREACHABLE`, `FILE_NOT_FOUND`,
 * `SIZE_MISMATCH`; file system errors pass through
 */
export async function downloadInto(
  partial: string,
  request: FileRequest,
  context: DownloadContext,
): Promise<Download> {
  const file = await open(partial, "a+", 0o600);
  try {
    const state = await readState(partial, file, request);
    let best = state.size;
    for (let tries = 1; ; tries += 1) {
      context.signal?.throwIfAborted();
      const failure = await attempt(state, request, context);
      if (failure === undefined) {
        await file.sync();
        return {
          sha256: state.hash.digest("hex"),
          integrity: state.hash512 && `sha512-${state.hash512.digest("base64")}`,
          size: state.size,
          resumed: state.resumed,
        };
      }
      if (state.size > best + PROGRESS) {
        best = state.size;
        tries = 1;
      }
      if (tries >= MOST_TRIES) throw failure.error;
      await pause(tries, failure, request, context);
    }
  } finally {
    await file.close();
  }
}

/** What is on disk so far, with the hash over it. */
interface PartialState {
  readonly file: FileHandle;
  hash: Hash;
  /** Absent: nobody asks for it. */
  hash512: Hash | undefined;
  size: number;
  resumed: boolean;
  /** Names the bytes on disk, for `If-Range`. Absent: only the digest can tell. */
  entityTag: string | undefined;
}

/** Something that another try may mend. */
interface TransientFailure {
  readonly error: ToolingError;
  readonly retryAfter?: string | undefined;
}

async function readState(path: string, file: FileHandle, request: FileRequest): Promise<PartialState> {
  const hash = createHash("sha256");
  const hash512 = request.integrity === undefined ? undefined : createHash("sha512");
  let size = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk);
    hash512?.update(chunk);
    size += chunk.byteLength;
  }
  return { file, hash, hash512, size, resumed: size > 0, entityTag: undefined };
}

async function restart(state: PartialState): Promise<void> {
  await state.file.truncate(0);
  state.hash = createHash("sha256");
  state.hash512 &&= createHash("sha512");
  state.size = 0;
  state.resumed = false;
  state.entityTag = undefined;
}

async function attempt(
  state: PartialState,
  request: FileRequest,
  context: DownloadContext,
): Promise<TransientFailure | undefined> {
  if (request.size !== undefined && state.size > request.size) await restart(state);
  if (state.size > 0 && state.size === request.size) return undefined;
  let started = false;
  try {
    const response = await getOverHttp(request.url, {
      dispatcher: context.dispatcher,
      idleTimeout: context.idleTimeout,
      signal: context.signal,
      authorization: request.authorize?.(request.url),
      headers: headersOf(state, request),
    });
    started = response.statusCode === 200 || response.statusCode === 206;
    return await receive(response, state, request, context);
  } catch (error) {
    context.signal?.throwIfAborted();
    if (error instanceof ToolingError || !isNetworkError(error)) throw error;
    const described = describeNetworkError(error, request, started);
    if (!isTemporaryFailure(error)) throw described;
    return { error: described };
  }
}

function headersOf(state: PartialState, { accept }: FileRequest): Record<string, string> {
  return { ...(accept !== undefined && { accept }), ...rangeHeaders(state) };
}

function rangeHeaders(state: PartialState): Record<string, string> {
  if (state.size === 0) return {};
  const range = { range: `bytes=${state.size}-` };
  return state.entityTag === undefined ? range : { ...range, "if-range": state.entityTag };
}

/** Takes one answer. Nothing when the file is complete; what to try again otherwise. */
async function receive(
  response: HttpAnswer,
  state: PartialState,
  request: FileRequest,
  context: DownloadContext,
): Promise<TransientFailure | undefined> {
  const { statusCode: status } = response;
  if (status !== 200 && status !== 206) return await afterRefusal(response, state, request);
  if (status === 200) await restart(state);
  const total = status === 206 ? totalOfRange(response, state) : contentLength(response);
  if (total === "wrong") {
    discard(response);
    await restart(state);
    return { error: truncated(request, "the server answered with another part of the file") };
  }
  checkType(response, request);
  checkTotal(total, request, response);
  state.entityTag = strongEntityTag(response);
  context.onTotal?.(request.size ?? total);
  await store(response, state, request, context);
  const expected = request.size ?? total;
  if (expected === undefined || state.size === expected) return undefined;
  return { error: truncated(request, `${state.size} of ${expected} bytes arrived`) };
}

async function afterRefusal(
  response: HttpAnswer,
  state: PartialState,
  request: FileRequest,
): Promise<TransientFailure | undefined> {
  await response.body.dump({ limit: 64 * 1024 });
  if (response.statusCode === 416) return await afterRangeRefused(response, state, request);
  const error = describeStatus(response.statusCode, request);
  if (!isTemporaryStatus(response.statusCode)) throw error;
  return { error, retryAfter: headerOf(response, "retry-after") };
}

/** 416 means that nothing is left to send, or that our part is not one of this file's. */
async function afterRangeRefused(
  response: HttpAnswer,
  state: PartialState,
  request: FileRequest,
): Promise<TransientFailure | undefined> {
  const total = /^bytes \*\/(\d+)$/.exec(headerOf(response, "content-range") ?? "")?.[1];
  if (request.size === undefined && total !== undefined && Number(total) === state.size) return undefined;
  await restart(state);
  return { error: truncated(request, "the server does not know the part that was left to fetch") };
}

async function store(
  response: HttpAnswer,
  state: PartialState,
  request: FileRequest,
  context: DownloadContext,
): Promise<void> {
  const most = request.size ?? request.maxSize ?? DEFAULT_MAX_SIZE;
  for await (const chunk of response.body) {
    if (state.size === 0 && request.acceptHtml !== true && looksLikeHtml(chunk)) throw htmlInstead(request);
    if (state.size + chunk.byteLength > most) throw tooLarge(request, most);
    await state.file.appendFile(chunk);
    state.hash.update(chunk);
    state.hash512?.update(chunk);
    state.size += chunk.byteLength;
    context.onBytes?.(state.size);
  }
}

function totalOfRange(response: HttpAnswer, state: PartialState): number | "wrong" | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headerOf(response, "content-range") ?? "");
  if (match === null || Number(match[1]) !== state.size || state.size === 0) return "wrong";
  state.resumed = true;
  return match[3] === "*" ? undefined : Number(match[3]);
}

function contentLength(response: HttpAnswer): number | undefined {
  const text = headerOf(response, "content-length");
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function checkTotal(total: number | undefined, request: FileRequest, response: HttpAnswer): void {
  if (total === undefined) return;
  const most = request.size ?? request.maxSize ?? DEFAULT_MAX_SIZE;
  if (total <= most && (request.size === undefined || total === request.size)) return;
  discard(response);
  if (request.size === undefined) throw tooLarge(request, most);
  throw otherSize(request, total);
}

function checkType(response: HttpAnswer, request: FileRequest): void {
  if (request.acceptHtml === true || !/^text\/html\b/i.test(headerOf(response, "content-type") ?? "")) return;
  discard(response);
  throw htmlInstead(request);
}

/** Hangs up; the error that the body then has is of no interest. */
function discard({ body }: HttpAnswer): void {
  body.on("error", () => undefined);
  body.destroy();
}

function looksLikeHtml(chunk: Uint8Array): boolean {
  const start = Buffer.from(chunk.subarray(0, 64)).toString("latin1").trimStart().toLowerCase();
  return start.startsWith("<!doctype html") || start.startsWith("<html");
}

function strongEntityTag(response: HttpAnswer): string | undefined {
  const tag = headerOf(response, "etag");
  return tag?.startsWith('"') === true ? tag : undefined;
}

function headerOf(response: HttpAnswer, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

async function pause(
  tries: number,
  failure: TransientFailure,
  request: FileRequest,
  { random, now, longestDelay, signal, onNote }: DownloadContext,
): Promise<void> {
  const delay = Math.min(delayBefore(tries, { random, now, retryAfter: failure.retryAfter }), longestDelay);
  if (failure.retryAfter !== undefined)
    onNote?.(`the server asks to wait, next try in ${Math.ceil(delay / 1000)} s`);
  else
    onNote?.(
      `try ${tries} of ${MOST_TRIES} for "${request.name}" did not end well: ${failure.error.message}`,
    );
  await sleep(delay, undefined, { signal });
}
