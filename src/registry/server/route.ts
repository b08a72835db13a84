// SPDX-License-Identifier: Apache-2.0
import { isRepository } from "../../oci/index.ts";
import { RegistryFault } from "./registry-fault.ts";

/** Which kind of thing a path names. */
export type RouteName =
  | "blob"
  | "health"
  | "manifest"
  | "metrics"
  | "ping"
  | "referrers"
  | "repositories"
  | "tags"
  | "upload"
  | "uploads";

/** A path, taken apart. */
export interface Route {
  readonly name: RouteName;
  /** Valid by the grammar; empty where the path names no repository. */
  readonly repository: string;
  /** Tag, digest or upload id, not checked yet; empty where the path has none. */
  readonly reference: string;
}

const FIXED: Readonly<Record<string, RouteName>> = {
  "/healthz": "health",
  "/metrics": "metrics",
  "/v2": "ping",
  "/v2/": "ping",
  "/v2/_catalog": "repositories",
};

/**
 * Reads the path of a request target, from its end, because names of repositories may hold words like `blobs`.
 *
 * @throws {RegistryFault} 404 for a path that is no endpoint, 400 `NAME_INVALID` for a bad name
 */
export function parseRoute(path: string): Route {
  const fixed = FIXED[path];
  if (fixed !== undefined) return { name: fixed, repository: "", reference: "" };
  if (!path.startsWith("/v2/")) throw notFound();
  // No name, tag or digest needs an escape but the colon: anything else escaped is an attempt to pass a check.
  const parts = path.slice("/v2/".length).replaceAll(/%3a/gi, ":").split("/");
  const { name, length, reference } = readEnding(parts);
  const repository = parts.slice(0, parts.length - length).join("/");
  if (!isRepository(repository)) {
    throw new RegistryFault(400, "NAME_INVALID", "the name of the repository is not allowed");
  }
  return { name, repository, reference };
}

interface Ending {
  readonly name: RouteName;
  /** How many parts it takes. */
  readonly length: number;
  readonly reference: string;
}

const PLAIN: Readonly<Record<string, RouteName>> = {
  blobs: "blob",
  manifests: "manifest",
  referrers: "referrers",
};

function readEnding(parts: readonly string[]): Ending {
  const last = parts.at(-1) ?? "";
  const second = parts.at(-2) ?? "";
  if (second === "tags" && last === "list") return { name: "tags", length: 2, reference: "" };
  if (second === "uploads" && parts.at(-3) === "blobs") {
    return { name: last === "" ? "uploads" : "upload", length: 3, reference: last };
  }
  if (second === "blobs" && last === "uploads") return { name: "uploads", length: 2, reference: "" };
  const name = PLAIN[second];
  if (name === undefined) throw notFound();
  return { name, length: 2, reference: last };
}

function notFound(): RegistryFault {
  return new RegistryFault(404, "UNSUPPORTED", "there is no such endpoint");
}
