// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  request as forwardRequest,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRegistryServer } from "../../src/registry/index.ts";

/** A request as the faulty registry sees it, with the ways to treat it. */
export interface FaultyExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path and query. */
  readonly target: string;
  /** How many requests of this method to this path came before. */
  readonly earlier: number;
  /** Answers with these headers and this body, and reads nothing more. */
  readonly reply: (status: number, headers?: Record<string, string>, body?: string | Uint8Array) => void;
  /** Lets the real registry answer; `change` alters status and headers before they go out. */
  readonly forward: (change?: (answer: FaultyAnswer) => void) => void;
}

/** What goes back to the client. */
export interface FaultyAnswer {
  status: number;
  readonly headers: Record<string, unknown>;
}

/** Misbehaves as it likes; calls `forward` where it does not. */
export type Fault = (exchange: FaultyExchange) => void;

/** A real registry behind a front that lies, stalls and breaks. */
export interface FaultyRegistry {
  /** `HOST:PORT` of the front. */
  readonly address: string;
  /** `HOST:PORT` of the real registry, which tells the truth. */
  readonly backend: string;
  /** All requests: method, target and whether they brought `Authorization`. */
  readonly seen: { method: string; target: string; authorization: string | undefined }[];
  close(): Promise<void>;
}

/** Starts one. Absent `backend`: with an empty registry of its own. */
export async function startFaultyRegistry(
  fault: Fault,
  { backend }: { backend?: string } = {},
): Promise<FaultyRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "toolbox-faulty-"));
  const real = backend === undefined ? await startRegistryServer({ folder, stopTimeout: 100 }) : undefined;
  const address = backend ?? real?.address ?? "";
  const counts = new Map<string, number>();
  const seen: FaultyRegistry["seen"] = [];
  const server = createServer((request, response) => {
    const [method, target] = [request.method ?? "", request.url ?? ""];
    const key = `${method} ${target.split("?")[0]}`;
    const earlier = counts.get(key) ?? 0;
    counts.set(key, earlier + 1);
    seen.push({ method, target, authorization: request.headers.authorization });
    response.on("error", () => undefined);
    fault({
      request,
      response,
      target,
      earlier,
      reply(status, headers = {}, body = "") {
        request.resume();
        response.writeHead(status, headers).end(body);
      },
      forward(change) {
        forward(request, response, address, change);
      },
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    backend: address,
    seen,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      await real?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  backend: string,
  change: ((answer: FaultyAnswer) => void) | undefined,
): void {
  const [hostname, port] = backend.split(":");
  const { authorization: _, ...headers } = request.headers;
  const { method, url: path } = request;
  const onward = forwardRequest(
    { hostname, port, method, path, headers: { ...headers, host: backend } },
    (reply) => {
      const answer: FaultyAnswer = {
        status: reply.statusCode ?? 500,
        headers: { ...reply.headers },
      };
      change?.(answer);
      response.writeHead(answer.status, answer.headers as Record<string, string>);
      reply.pipe(response);
      response.once("close", () => reply.destroy());
    },
  );
  onward.on("error", () => response.destroy());
  request.once("close", () => {
    if (!request.complete) onward.destroy();
  });
  request.pipe(onward);
}
