// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { type Digest, isDigest } from "./digest.ts";

/** Where an image stands: `registry/repository[:tag][@digest]`. */
export interface Reference {
  /** Host and optional port. `docker.io` for short names. */
  readonly registry: string;
  /** `library/NAME` for one-word names on `docker.io`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const HOST =
  /^(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::[0-9]{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const LONGEST_NAME = 255;

/**
 * Reads `alpine`, `best-tools/k8s:1.4`, `localhost:5000/a/b@sha256:...` the way docker does
 * (distribution-spec v1.1.1, "Pulling manifests"). Neither tag nor digest is made up.
 *
 * @throws {ToolingError} `REFERENCE_INVALID`
 */
export function parseReference(text: string): Reference {
  const [name = "", digest, ...more] = text.split("@");
  if (more.length > 0) throw invalid(text, 'holds more than one "@"');
  if (digest !== undefined && !isDigest(digest))
    throw invalid(text, `ends in "${digest}", which is not a digest`);
  const { path, tag } = splitTag(name);
  if (tag !== undefined && !isTag(tag)) throw invalid(text, `has the tag "${tag}", which is not allowed`);
  const { registry, repository } = splitRegistry(path);
  if (!HOST.test(registry)) throw invalid(text, `names the registry "${registry}", which is not a host`);
  if (!isRepository(repository)) throw invalid(text, describeRepository(repository));
  if (registry.length + repository.length > LONGEST_NAME)
    throw invalid(text, `is longer than ${LONGEST_NAME} characters`);
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** The full form, which {@link parseReference} reads back to an equal value. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** Whether `text` may be a tag (distribution-spec v1.1.1). */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether `text` may be the name of a repository (distribution-spec v1.1.1). */
export function isRepository(text: string): boolean {
  return text.length <= LONGEST_NAME && REPOSITORY.test(text);
}

function splitTag(name: string): { path: string; tag?: string } {
  const colon = name.lastIndexOf(":");
  if (colon < 0 || colon < name.lastIndexOf("/")) return { path: name };
  return { path: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** A first part is a host when it could not be a user name: it holds a dot, a colon or capitals, or is `localhost`. */
function splitRegistry(path: string): { registry: string; repository: string } {
  const slash = path.indexOf("/");
  const first = path.slice(0, slash);
  if (slash > 0 && (/[.:A-Z]/.test(first) || first === "localhost")) {
    const rest = path.slice(slash + 1);
    if (first === "index.docker.io" || first === "docker.io") return onDockerHub(rest);
    return { registry: first, repository: rest };
  }
  return onDockerHub(path);
}

function onDockerHub(repository: string): { registry: string; repository: string } {
  return {
    registry: "docker.io",
    repository: repository.includes("/") ? repository : `library/${repository}`,
  };
}

function describeRepository(repository: string): string {
  if (/[A-Z]/.test(repository)) return `names the repository "${repository}", but capitals are not allowed`;
  return `names the repository "${repository}", which is not allowed`;
}

function invalid(text: string, why: string): ToolingError {
  return new ToolingError("REFERENCE_INVALID", `image reference "${text.slice(0, 300)}" ${why}`, {
    hint: "Write it as [HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST].",
  });
}
