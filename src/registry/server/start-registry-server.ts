// SPDX-License-Identifier: Apache-2.0
import { createServer as createPlainServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describeWriteFailure } from "../../core/atomic-file.ts";
import { isSystemError, ToolingError } from "../../core/error.ts";
import type { AccessEntry } from "./access-log.ts";
import { dispatch, type DispatchContext } from "./dispatch.ts";
import { Htpasswd } from "./htpasswd.ts";
import { type ListenAddress, parseListenAddress } from "./listen-address.ts";
import { Metrics } from "./metrics.ts";
import { holdRegistryFolder } from "./storage/folder-lock.ts";
import { collectGarbage, type GarbageReport } from "./storage/garbage.ts";
import { openRegistryStorage, type RegistryStorage } from "./storage/registry-storage.ts";

/** How a registry is served. Durations are milliseconds, sizes are bytes. */
export interface StartRegistryServerOptions {
  /** `HOST:PORT`; port 0 lets the system pick one. Absent: `127.0.0.1:0`. */
  readonly listen?: string;
  /** Where everything is kept. Made when it is not there. */
  readonly folder: string;
  /** Password file with bcrypt hashes. Absent: everybody may do everything. */
  readonly htpasswd?: string;
  /** Certificate chain and key, PEM. Absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Serve other machines without passwords or without TLS. */
  readonly insecure?: boolean;
  readonly readOnly?: boolean;
  /** Host names that clients may use besides those of this machine. Absent: on loopback none, elsewhere any. */
  readonly hostNames?: readonly string[];
  /** Absent: 4 MiB. */
  readonly maxManifestSize?: number;
  /** Absent: no limit but the disk. */
  readonly maxBlobSize?: number;
  /** Uploads open at the same time. Absent: 1000. */
  readonly maxUploads?: number;
  /** After how long an untouched upload is dropped. Absent: one hour. */
  readonly uploadTimeout?: number;
  /** After how long a silent connection is cut. Absent: one minute. */
  readonly idleTimeout?: number;
  /** How often garbage is collected. 0: never. Absent: one hour. */
  readonly gcInterval?: number;
  /** How long unreferenced content is kept after its last use. Absent: one day. */
  readonly gcGrace?: number;
  /** How long requests may go on after `close`. Absent: 10 s. */
  readonly stopTimeout?: number;
  readonly now?: () => Date;
  readonly onAccess?: (entry: AccessEntry) => void;
  /** Told of faults that are not the client's; the client is told nothing about them. */
  readonly onFault?: (error: unknown) => void;
}

/** A registry that is being served. */
export interface RegistryServer {
  /** `HOST:PORT`, as it stands in references. */
  readonly address: string;
  /** With scheme, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Collects garbage now. Absent `grace`: that of the server. */
  collectGarbage(options?: { readonly grace?: number; readonly dryRun?: boolean }): Promise<GarbageReport>;
  /** Takes no new connections, lets requests end, then frees the folder. */
  close(): Promise<void>;
}

const HOUR = 3_600_000;
const LIMITS = { maxUploads: 1000, uploadTimeout: HOUR, maxBlobSize: Number.MAX_SAFE_INTEGER };
const MANIFEST_SIZE = 4 * 1024 * 1024;
const HEADER_SIZE = 32 * 1024;

/**
 * Serves an OCI registry (distribution-spec v1.1.1 and its development additions).
 *
 * @throws {ToolingError} `POLICY_REFUSED` for an address that other machines reach without passwords and TLS,
 * `STORE_BUSY` when another process serves the folder, `STORE_UNSUPPORTED`, `CONFIG_INVALID`, `CREDENTIALS_INVALID`, `DISK_FULL`,
 * `FILE_UNWRITABLE`
 */
export async function startRegistryServer(options: StartRegistryServerOptions): Promise<RegistryServer> {
  const listen = parseListenAddress(options.listen ?? "127.0.0.1:0");
  checkExposure(listen, options);
  const htpasswd = options.htpasswd === undefined ? undefined : new Htpasswd(options.htpasswd);
  await htpasswd?.load();
  const release = await hold(options.folder);
  try {
    const limits = { ...LIMITS, ...pickLimits(options) };
    const storage = await openRegistryStorage(options.folder, {
      limits,
      now: options.now ?? (() => new Date()),
    });
    const metrics = new Metrics();
    const server = await listenOn(listen, options, {
      storage,
      metrics,
      htpasswd,
      maxManifestSize: options.maxManifestSize ?? MANIFEST_SIZE,
      readOnly: options.readOnly ?? false,
      allowedHosts: allowedHosts(listen, options),
      onAccess: options.onAccess,
      onFault: options.onFault,
    });
    return new RunningRegistry(server, { storage, metrics, release, options });
  } catch (error) {
    await release();
    throw describeWriteFailure(error, options.folder);
  }
}

async function hold(folder: string): Promise<() => Promise<void>> {
  try {
    return await holdRegistryFolder(folder);
  } catch (error) {
    throw describeWriteFailure(error, folder);
  }
}

function checkExposure({ host, isLoopback }: ListenAddress, options: StartRegistryServerOptions): void {
  if (isLoopback || options.insecure === true) return;
  if (options.htpasswd !== undefined && options.tls !== undefined) return;
  throw new ToolingError("POLICY_REFUSED", `"${host}" can be reached by other machines`, {
    hint: "Give a password file and a certificate, or say that it may be insecure, or listen on 127.0.0.1.",
  });
}

function pickLimits(options: StartRegistryServerOptions): Partial<typeof LIMITS> {
  const { maxBlobSize, maxUploads, uploadTimeout } = options;
  return {
    ...(maxBlobSize !== undefined && { maxBlobSize }),
    ...(maxUploads !== undefined && { maxUploads }),
    ...(uploadTimeout !== undefined && { uploadTimeout }),
  };
}

function allowedHosts(
  { isLoopback }: ListenAddress,
  { hostNames }: StartRegistryServerOptions,
): DispatchContext["allowedHosts"] {
  if (hostNames !== undefined) return new Set(hostNames.map((name) => name.toLowerCase()));
  return isLoopback ? undefined : "any";
}

async function listenOn(
  { host, port }: ListenAddress,
  { tls, idleTimeout = 60_000 }: StartRegistryServerOptions,
  context: DispatchContext,
): Promise<Server> {
  const serve: RequestListener = (request, response) => void dispatch(context, request, response);
  const limits = {
    maxHeaderSize: HEADER_SIZE,
    headersTimeout: 60_000,
    requestTimeout: 0,
    keepAliveTimeout: 30_000,
  };
  const server =
    tls === undefined ? createPlainServer(limits, serve) : createTlsServer({ ...limits, ...tls }, serve);
  server.on("checkContinue", serve);
  server.timeout = idleTimeout;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
  } catch (error) {
    throw describeListenFailure(error, `${host}:${port}`);
  }
  return server;
}

function describeListenFailure(error: unknown, address: string): unknown {
  if (!isSystemError(error, "EADDRINUSE", "EACCES", "EADDRNOTAVAIL", "ENOTFOUND")) return error;
  return new ToolingError("CONFIG_INVALID", `"${address}" cannot be listened on (${error.code})`, {
    hint: "Name another address, or port 0 to have a free one picked.",
    cause: error,
  });
}

/** What belongs to a running server. */
interface RunningParts {
  readonly storage: RegistryStorage;
  readonly metrics: Metrics;
  readonly release: () => Promise<void>;
  readonly options: StartRegistryServerOptions;
}

class RunningRegistry implements RegistryServer {
  readonly address: string;
  readonly url: string;
  readonly port: number;
  readonly #server: Server;
  readonly #parts: RunningParts;
  readonly #timers: readonly NodeJS.Timeout[];
  #collecting: Promise<GarbageReport> | undefined;
  #closed: Promise<void> | undefined;

  constructor(server: Server, parts: RunningParts) {
    const { address, family, port } = server.address() as AddressInfo;
    const host = family === "IPv6" ? `[${address}]` : address;
    this.address = `${host}:${port}`;
    this.url = `${parts.options.tls === undefined ? "http" : "https"}://${this.address}`;
    this.port = port;
    this.#server = server;
    this.#parts = parts;
    const { gcInterval = HOUR, onFault, readOnly = false, uploadTimeout = HOUR } = parts.options;
    const every = (interval: number, work: () => Promise<unknown>): NodeJS.Timeout =>
      setInterval(() => void work().catch((error: unknown) => onFault?.(error)), interval).unref();
    this.#timers = [
      every(Math.max(10, Math.min(60_000, uploadTimeout / 2)), async () => parts.storage.uploads.expire()),
      ...(gcInterval > 0 && !readOnly ? [every(gcInterval, async () => this.collectGarbage())] : []),
    ];
  }

  async collectGarbage({
    grace,
    dryRun = false,
  }: { grace?: number; dryRun?: boolean } = {}): Promise<GarbageReport> {
    await this.#collecting?.catch(() => undefined);
    const { metrics, options, storage } = this.#parts;
    this.#collecting = collectGarbage(storage, { grace: grace ?? options.gcGrace ?? 24 * HOUR, dryRun });
    try {
      const report = await this.#collecting;
      if (!dryRun) metrics.recordCollected(report.freed);
      return report;
    } finally {
      this.#collecting = undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed ??= this.#stop();
    return this.#closed;
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const stopped = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    const cut = setTimeout(
      () => this.#server.closeAllConnections(),
      this.#parts.options.stopTimeout ?? 10_000,
    );
    await stopped;
    clearTimeout(cut);
    await this.#collecting?.catch(() => undefined);
    await this.#parts.release();
  }
}
