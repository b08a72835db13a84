// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";
import { isSystemError } from "../../core/error.ts";
import { type AccessEntry, redactTarget } from "./access-log.ts";
import { ENDPOINTS } from "./endpoints/endpoint-table.ts";
import { type Endpoint, type Exchange } from "./exchange.ts";
import { checkHost } from "./host-check.ts";
import type { Htpasswd } from "./htpasswd.ts";
import type { Metrics } from "./metrics.ts";
import { formatFault, RegistryFault } from "./registry-fault.ts";
import { parseRoute, type Route } from "./route.ts";
import type { RegistryStorage } from "./storage/registry-storage.ts";

/** What requests are served with. */
export interface DispatchContext {
  readonly storage: RegistryStorage;
  readonly metrics: Metrics;
  readonly maxManifestSize: number;
  readonly readOnly: boolean;
  readonly htpasswd: Htpasswd | undefined;
  readonly allowedHosts: ReadonlySet<string> | "any" | undefined;
  readonly onAccess: ((entry: AccessEntry) => void) | undefined;
  /** Told of faults that are not the client's. */
  readonly onFault: ((error: unknown) => void) | undefined;
}

/** What becomes known of a request while it is served. */
interface Progress {
  route: Route | undefined;
  user: string | undefined;
}

/** Serves one request, whatever it is, and never throws. */
export async function dispatch(
  context: DispatchContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = splitTarget(request.url ?? "/");
  const progress: Progress = { route: undefined, user: undefined };
  observe(context, request, response, url, progress);
  try {
    await serve(context, request, response, url, progress);
  } catch (error) {
    fail(context, request, response, error);
  }
}

interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Not by `URL`: that would resolve `..` and hide it from the router. */
function splitTarget(target: string): Target {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return { path, query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)) };
}

async function serve(
  context: DispatchContext,
  request: IncomingMessage,
  response: ServerResponse,
  { path, query }: Target,
  progress: Progress,
): Promise<void> {
  checkHost(request, context.allowedHosts);
  if (path !== "/healthz") progress.user = await authenticate(context.htpasswd, request);
  const route = parseRoute(path);
  progress.route = route;
  const endpoint = findEndpoint(route, request.method ?? "", context.readOnly);
  const { storage, metrics, maxManifestSize } = context;
  const exchange: Exchange = { request, response, route, query, storage, metrics, maxManifestSize };
  response.setHeader("docker-distribution-api-version", "registry/2.0");
  await endpoint(exchange);
}

async function authenticate(
  htpasswd: Htpasswd | undefined,
  request: IncomingMessage,
): Promise<string | undefined> {
  if (htpasswd === undefined) return undefined;
  const found = await htpasswd.authenticate(request.headers.authorization);
  if (found === "busy") {
    const headers = { "retry-after": "1" };
    throw new RegistryFault(429, "TOOMANYREQUESTS", "too many passwords are being checked", { headers });
  }
  if (found !== undefined) return found.user;
  throw new RegistryFault(401, "UNAUTHORIZED", "a name and a password are needed", {
    headers: { "www-authenticate": 'Basic realm="toolbox registry", charset="UTF-8"' },
  });
}

function findEndpoint({ name }: Route, method: string, readOnly: boolean): Endpoint {
  const table = ENDPOINTS[name];
  const allowed = Object.keys(table).filter((word) => !readOnly || word === "GET" || word === "HEAD");
  const endpoint = allowed.includes(method) ? table[method] : undefined;
  if (endpoint !== undefined) return endpoint;
  const why = readOnly && method in table ? "this registry is read-only" : "the method is not supported here";
  throw new RegistryFault(405, "UNSUPPORTED", why, { headers: { allow: allowed.join(", ") } });
}

function fail(
  { onFault }: DispatchContext,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void {
  const isCut = request.destroyed && !request.complete;
  if (response.headersSent || response.destroyed || isCut) {
    // Too late for an answer: cutting the connection is the only way to say that the content is not complete.
    if (!response.writableEnded) response.destroy();
    return;
  }
  const fault = toFault(error);
  if (fault.status >= 500) onFault?.(error);
  const body = Buffer.from(formatFault(fault));
  // A client that was refused must not keep the connection by sending on.
  const unread = request.complete ? {} : { connection: "close" };
  const headers = { "content-type": "application/json", "content-length": body.byteLength };
  response.writeHead(fault.status, { ...headers, ...unread, ...fault.headers });
  if (request.method !== "HEAD") response.write(body);
  if (request.complete) response.end();
  else endWhenDrained(request, response);
}

/** Bytes and milliseconds for which a refused client may go on sending before it is cut off. */
const DRAIN_SIZE = 8 * 1024 * 1024;
const DRAIN_TIME = 2000;

/** Closing while bytes are on their way would reset the connection and take the answer from the client. */
function endWhenDrained(request: IncomingMessage, response: ServerResponse): void {
  let drained = 0;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, DRAIN_TIME);
  request.once("end", end).once("close", end).once("error", end);
  request.on("data", (chunk: Uint8Array) => {
    drained += chunk.byteLength;
    if (drained > DRAIN_SIZE) end();
  });
}

function toFault(error: unknown): RegistryFault {
  if (error instanceof RegistryFault) return error;
  if (isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG")) {
    return new RegistryFault(507, "DENIED", "the registry has no space left");
  }
  if (isSystemError(error, "EMFILE", "ENFILE")) {
    const headers = { "retry-after": "2" };
    return new RegistryFault(503, "TOOMANYREQUESTS", "the registry has too many files open", { headers });
  }
  return new RegistryFault(500, "UNKNOWN", "the registry failed to serve this request");
}

function observe(
  { metrics, onAccess, storage }: DispatchContext,
  request: IncomingMessage,
  response: ServerResponse,
  { path, query }: Target,
  progress: Progress,
): void {
  const started = performance.now();
  const { socket } = request;
  const before = { read: socket.bytesRead, written: socket.bytesWritten };
  const remote = socket.remoteAddress ?? "-";
  response.once("close", () => {
    const milliseconds = Math.round(performance.now() - started);
    const bytes = { bytesIn: socket.bytesRead - before.read, bytesOut: socket.bytesWritten - before.written };
    // 499 is how proxies write "the client went away".
    const status = response.writableFinished ? response.statusCode : 499;
    const method = request.method ?? "-";
    const route = progress.route?.name ?? "none";
    metrics.recordRequest({ method, route, status, seconds: milliseconds / 1000, ...bytes });
    const agent = request.headers["user-agent"]?.slice(0, 200);
    onAccess?.({
      time: storage.now().toISOString(),
      remote,
      ...(progress.user !== undefined && { user: progress.user }),
      method,
      target: redactTarget(path, query),
      status,
      milliseconds,
      ...bytes,
      ...(agent !== undefined && { userAgent: agent }),
    });
  });
}
