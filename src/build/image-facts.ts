// SPDX-License-Identifier: Apache-2.0
import { architectureOf, type Platform } from "../core/platform.ts";
import { formatCanonicalJson } from "../core/json.ts";
import { digestOf, type Digest } from "../oci/index.ts";
import type { Lockfile } from "../workspace/index.ts";
import { IMAGE_USER } from "./account.ts";
import type { NamedTool } from "./layer-order.ts";

/** The one time that stands in everything we make: 1 January 1970, RFC 3339. */
export const FIXED_TIME = "1970-01-01T00:00:00Z";

/** Names of the labels and annotations of our own. */
export const IMAGE_LABELS = {
  /** Digest of the part of the lock that the image was made from. */
  lockDigest: "dev.toolbox.lock.digest",
  /** JSON list of `{name, version, summary}`, in the order of the image's tools. */
  tools: "dev.toolbox.tools",
} as const;

const MADE_BY = "toolbox build: ";

/** The line of the history for a layer of ours; its name is the tools in it, `base` or `top`. */
export function formatLayerHistory(name: string): string {
  return `${MADE_BY}${name}`;
}

/** The name of a layer of ours by its line in the history. Absent: somebody else has made it. */
export function layerNameOf(createdBy: string): string | undefined {
  return createdBy.startsWith(MADE_BY) ? createdBy.slice(MADE_BY.length) : undefined;
}

/**
 * Names the part of the lock that one image is made from. It stays as it is while other images of the same
 * lock change, so that their build does not give this image a new digest.
 */
export function digestImageLock(lockfile: Lockfile, image: string): Digest {
  const { base, compression, platforms } = lockfile;
  const entry = lockfile.images[image];
  const tools = (entry?.tools ?? []).map((name) => lockfile.tools[name]);
  return digestOf(formatCanonicalJson({ base, compression, image, platforms, title: entry?.title, tools }));
}

/** Labels of the config, and annotations of manifest and index: what can be told without pulling a layer. */
export function formatImageLabels(
  lockfile: Lockfile,
  image: string,
  tools: readonly NamedTool[],
): Readonly<Record<string, string>> {
  const { base } = lockfile;
  const list = tools.map(({ name, tool }) => ({ name, version: tool.version, summary: tool.about.summary }));
  return {
    "org.opencontainers.image.created": FIXED_TIME,
    "org.opencontainers.image.title": lockfile.images[image]?.title ?? image,
    "org.opencontainers.image.description": `Command-line tools: ${list.map(({ name }) => name).join(", ")}`,
    ...(base?.kind === "image" && {
      "org.opencontainers.image.base.name": base.reference.replace(/@.*$/, ""),
      "org.opencontainers.image.base.digest": base.digest,
    }),
    [IMAGE_LABELS.lockDigest]: digestImageLock(lockfile, image),
    [IMAGE_LABELS.tools]: JSON.stringify(list),
  };
}

/**
 * The environment of an image. No shell expands it, so it is literal; and it is the same for every uid, because
 * there is no entrypoint that could ask who runs.
 */
export const IMAGE_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: IMAGE_USER.home,
  KUBECONFIG: `${IMAGE_USER.home}/.kube/config:/root/.kube/config`,
  LANG: "C.UTF-8",
};

/** The platform in the words of a descriptor. */
export function describePlatform(platform: Platform): {
  readonly architecture: string;
  readonly os: "linux";
} {
  return { architecture: architectureOf(platform), os: "linux" };
}
