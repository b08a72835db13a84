// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from "node:http";
import { isLoopbackHost } from "./listen-address.ts";
import { RegistryFault } from "./registry-fault.ts";

/**
 * Refuses what a web page makes a browser send: a name that was pointed at this machine (DNS rebinding), or a request
 * from another site. Clients of registries never send `Origin`.
 *
 * @param allowed Names that clients may use. Absent: those of this machine only.
 * @throws {RegistryFault} 403 `DENIED`
 */
export function checkHost(
  { headers }: IncomingMessage,
  allowed: ReadonlySet<string> | "any" | undefined,
): void {
  const host = headers.host ?? "";
  const name = host
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
  if (allowed !== "any" && !isLoopbackHost(name) && allowed?.has(name) !== true) {
    throw new RegistryFault(403, "DENIED", "this host name is not served here");
  }
  if (headers.origin !== undefined && !isSameOrigin(headers.origin, host)) {
    throw new RegistryFault(403, "DENIED", "requests from other web sites are not served");
  }
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
