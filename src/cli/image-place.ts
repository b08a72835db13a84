// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { ToolingError } from "../core/error.ts";
import { formatReference, parseReference, type Reference } from "../oci/index.ts";

/** Somewhere an image stands or can be put. */
export type ImagePlace =
  | { readonly kind: "registry"; readonly reference: Reference }
  /** An OCI layout; `name` is that of the image in it. */
  | { readonly kind: "oci"; readonly folder: string; readonly name?: string }
  /** A file as `docker save` writes it; `name` is what the image is called after loading. */
  | { readonly kind: "docker-archive"; readonly file: string; readonly name?: string }
  /** The store of a container engine. */
  | { readonly kind: "engine"; readonly engine: "docker" | "podman"; readonly name: string };

/** What commands say about places. */
export const PLACE_DETAILS: readonly string[] = [
  "Places: [docker://]REF, oci:DIR[:NAME], docker-archive:FILE[:REF], and as targets docker-daemon:REF and",
  "containers-storage:REF, which hand the image to docker or podman.",
];

/**
 * Reads the names that skopeo uses; without a prefix it is a reference. Paths start from `cwd`.
 *
 * @throws {ToolingError} `REFERENCE_INVALID`, `COMMAND_USAGE`
 */
export function parseImagePlace(text: string, cwd: string): ImagePlace {
  const [, kind, rest = ""] =
    /^(docker:\/\/|oci:|docker-archive:|docker-daemon:|containers-storage:|[a-z-]+:\/\/)(.*)$/s.exec(
      text,
    ) ?? [undefined, "docker://", text];
  if (kind === "docker://") return { kind: "registry", reference: parseReference(rest) };
  if (rest === "") throw notAPlace(text);
  const { path, name } = splitName(rest);
  switch (kind) {
    case "oci:":
      return { kind: "oci", folder: resolve(cwd, path), ...(name !== undefined && { name }) };
    case "docker-archive:": {
      const called = name === undefined ? {} : { name: withTag(name) };
      return { kind: "docker-archive", file: resolve(cwd, path), ...called };
    }
    case "docker-daemon:":
      return { kind: "engine", engine: "docker", name: withTag(rest) };
    case "containers-storage:":
      return { kind: "engine", engine: "podman", name: withTag(rest) };
    default:
      throw notAPlace(text);
  }
}

/** As it can be typed again. */
export function formatImagePlace(place: ImagePlace): string {
  switch (place.kind) {
    case "registry":
      return formatReference(place.reference);
    case "oci":
      return `oci:${place.folder}${place.name === undefined ? "" : `:${place.name}`}`;
    case "docker-archive":
      return `docker-archive:${place.file}${place.name === undefined ? "" : `:${place.name}`}`;
    case "engine":
      return `${place.engine === "docker" ? "docker-daemon" : "containers-storage"}:${place.name}`;
  }
}

function splitName(rest: string): { path: string; name?: string } {
  const colon = rest.indexOf(":");
  if (colon < 0) return { path: rest };
  return { path: rest.slice(0, colon), name: rest.slice(colon + 1) };
}

/** Engines name images by tag only. */
function withTag(name: string): string {
  const { registry, repository, tag, digest } = parseReference(name);
  if (digest === undefined) return formatReference({ registry, repository, tag: tag ?? "latest" });
  throw new ToolingError("REFERENCE_INVALID", `"${name}" names a digest, which cannot be given to an image`, {
    hint: "Give it a tag.",
  });
}

function notAPlace(text: string): ToolingError {
  return new ToolingError("COMMAND_USAGE", `"${text}" is not a place for images`, {
    hint: "Write REF, docker://REF, oci:DIR[:NAME], docker-archive:FILE, docker-daemon:REF or containers-storage:REF.",
  });
}
