// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { closeServer } from "./loopback-server.ts";

/** How an upstream can fail. */
export type UpstreamFault = "none" | "wrong-checksum" | "truncated";

/** A project's own download site on this machine: versions, one program per CPU, and a checksum file. */
export interface UpstreamServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  fault: UpstreamFault;
  /** Serves this text at a path, for anything else that a test wants to be asked for. */
  readonly pages: Map<string, string>;
  readonly close: () => Promise<void>;
}

/** Starts an upstream that has version 1.2.3 of a program whose bytes no other test has. */
export async function startUpstream(): Promise<UpstreamServer> {
  const salt = createHash("sha256").update(`${process.pid} ${performance.now()}`).digest("hex");
  const state = { fault: "none" as UpstreamFault, pages: new Map<string, string>() };
  const server = createServer((request, response) =>
    answer(request.url ?? "/", response, { ...state, salt }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, { url, close: async () => closeServer(server) });
}

interface UpstreamState {
  readonly fault: UpstreamFault;
  readonly pages: ReadonlyMap<string, string>;
  readonly salt: string;
}

function answer(path: string, response: ServerResponse, { fault, pages, salt }: UpstreamState): void {
  const page = pages.get(path);
  if (page !== undefined) return void response.end(page);
  if (path === "/versions") return void response.end("1.2.3\n");
  if (path === "/1.2.3/sums") return void response.end(sums(fault, salt));
  const cpu = /^\/1\.2\.3\/greet-(amd64|arm64)$/.exec(path)?.[1];
  if (cpu === undefined) return void response.writeHead(404).end();
  const program = Buffer.from(programText(cpu, salt));
  response.writeHead(200, { "content-length": program.byteLength, "accept-ranges": "none" });
  if (fault !== "truncated") return void response.end(program);
  response.write(program.subarray(0, program.byteLength - 10), () => response.destroy());
}

function programText(cpu: string, salt: string): string {
  return `#!/bin/sh\necho "greet 1.2.3 ${cpu}"\n# ${salt}\n`;
}

function sums(fault: UpstreamFault, salt: string): string {
  return ["amd64", "arm64"]
    .map((cpu) => {
      const text = fault === "wrong-checksum" ? "something else" : programText(cpu, salt);
      return `${createHash("sha256").update(text).digest("hex")}  greet-${cpu}\n`;
    })
    .join("");
}
