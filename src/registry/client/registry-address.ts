// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { zoneOf } from "./network-zone.ts";

/** Docker Hub is named by one host and served by another. */
const API_HOSTS: Readonly<Record<string, string>> = {
  "docker.io": "registry-1.docker.io",
  "index.docker.io": "registry-1.docker.io",
};

/**
 * Where the API of a registry is. Plain HTTP only for this machine, or on request: never as a second try after TLS failed.
 *
 * @param registry `host[:port]` as in references.
 * @throws {ToolingError} `REFERENCE_INVALID`
 */
export function registryUrl(
  registry: string,
  { plainHttp }: { readonly plainHttp: boolean | undefined },
): URL {
  const host = API_HOSTS[registry] ?? registry;
  const isPlain =
    plainHttp ??
    (URL.canParse(`http://${host}`) && zoneOf(new URL(`http://${host}`).hostname) === "loopback");
  const text = `${isPlain ? "http" : "https"}://${host}/`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    url.pathname !== "/" ||
    url.username !== "" ||
    url.search !== "" ||
    url.hash !== ""
  ) {
    throw new ToolingError("REFERENCE_INVALID", `"${registry}" is not the address of a registry`, {
      hint: "Write it as HOST or HOST:PORT.",
    });
  }
  return url;
}
