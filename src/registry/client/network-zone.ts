// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIP } from "node:net";
import { ToolingError } from "../../core/error.ts";

/** From where an address can be reached. Names other than `localhost` count as public: who resolves them decides. */
export type NetworkZone = "public" | "private" | "link-local" | "loopback";

const ZONES: readonly (readonly [NetworkZone, BlockList])[] = [
  ["loopback", blockList(["127.0.0.0", 8], ["0.0.0.0", 8], ["::1", 128], ["::", 128])],
  ["link-local", blockList(["169.254.0.0", 16], ["fe80::", 10])],
  [
    "private",
    blockList(
      ["10.0.0.0", 8],
      ["172.16.0.0", 12],
      ["192.168.0.0", 16],
      ["100.64.0.0", 10],
      ["198.18.0.0", 15],
      ["fc00::", 7],
    ),
  ],
];

function blockList(...subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, net.includes(":") ? "ipv6" : "ipv4");
  return list;
}

/** @param host Name or address as `URL.hostname` gives it. */
export function zoneOf(host: string): NetworkZone {
  const name = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) return "loopback";
  if (name === "metadata.google.internal") return "link-local";
  const family = isIP(name);
  if (family === 0) return "public";
  const found = ZONES.find(([, list]) => list.check(name, family === 6 ? "ipv6" : "ipv4"));
  return found?.[0] ?? "public";
}

/**
 * Refuses an address that a registry names (redirect, token service, upload) when it would lead this machine where the
 * registry itself is not: into its private network, to itself, or to the metadata service of a cloud.
 *
 * @param what The address as a noun phrase, for the message.
 * @throws {ToolingError} `POLICY_REFUSED`
 */
export function checkZone(target: URL, from: URL, what: string): void {
  if (target.host === from.host) return;
  const zone = zoneOf(target.hostname);
  if (zone === "public" || zone === zoneOf(from.hostname)) return;
  throw new ToolingError(
    "POLICY_REFUSED",
    `"${from.host}" names the ${zone} address "${target.host}" as its ${what}`,
    {
      hint: "A registry must not send its clients there; ask whoever runs it, and do not trust it until then.",
    },
  );
}
